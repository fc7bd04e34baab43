"""Fixed features of number tokens."""

import numpy as np
import pytest

from jaxgpt.nn.values import check_numbers, token_values, value_features

TEXTS = ("", "+", *"0123456789", "²", "٣", "42")


def test_values_are_numbers_in_ascii_digits():
    assert token_values(TEXTS) == (-1, -1, *range(10), -1, -1, 42)
    assert token_values(["007", "1.5", "-3", "1 "]) == (7, -1, -1, -1)


def test_features_are_a_standardized_parabola_and_a_column_for_every_other_token():
    features = value_features((3, -1, 5, 7, -1))
    x = np.sqrt(1.5)  # (7 - 5) / sqrt(((3-5)^2 + 0 + (7-5)^2) / 3)
    expected = [[1, -x, 1.5, 0, 0], [0, 0, 0, 1, 0], [1, 0, 0, 0, 0], [1, x, 1.5, 0, 0], [0, 0, 0, 0, 1]]
    np.testing.assert_allclose(features, expected, atol=1e-12)


def test_two_directions_pick_any_number():
    # -(x - t)^2 = 2 t x - x^2 - t^2 is linear in x and x^2, and largest at x = t.
    features = value_features(token_values(TEXTS))
    numbers = [i for i, value in enumerate(token_values(TEXTS)) if value >= 0]
    for i in numbers:
        scores = features[numbers] @ np.array([0, 2 * features[i, 1], -1, *[0] * (features.shape[1] - 3)])
        assert numbers[int(scores.argmax())] == i


@pytest.mark.parametrize("texts", [(), ("a", "-1"), ("a", "4", "9")])
def test_fewer_than_three_numbers_are_refused(texts):
    with pytest.raises(ValueError) as error:
        check_numbers(texts, "parabola")
    assert str(error.value).startswith("embedding.kind=parabola needs tokens for three numbers or more; use")


def test_two_tokens_of_one_value_are_named():
    check_numbers(["a", "7", "a", "-7", "07x", "70", "5"], "value")
    for other in ("07", "7"):
        with pytest.raises(ValueError) as error:
            check_numbers(["a", "7", "5", other], "value")
        assert str(error.value) == (
            f"embedding.kind=value cannot tell the tokens '7' and {other!r} apart, which are one number; use "
            "embedding.kind=free, or another tokenizer"
        )
