"""The number token loss against numpy, and what its definition says of simple cases."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt.objectives.number_token_loss import NumberTokenLoss

#: pad, bos, eos, ten digits, two signs.
DIGITS = ["", "", "", *"0123456789", "+", "="]
KINDS = ["mse", "wasserstein"]


def loss(kind, weight=1.0, texts=DIGITS):
    return NumberTokenLoss.of(kind, weight, texts)


def logits_of(probabilities: dict[str, float], elsewhere=0.0):
    """Logits that give these texts these probabilities among the digits, whatever the other tokens have."""
    row = np.full(len(DIGITS), -30.0)
    for text, p in probabilities.items():
        row[DIGITS.index(text)] = np.log(p)
    row[[0, 1, 2, 13, 14]] = elsewhere
    return jnp.asarray(row)


def slow(kind, texts, logits, target):
    """The definition in double precision, one position."""
    numbers = {i: float(t) for i, t in enumerate(texts) if t and all(c in "0123456789" for c in t)}
    if target not in numbers:
        return 0.0
    largest = max(logits[i] for i in numbers)
    p = {i: np.exp(logits[i] - largest) for i in numbers}
    total = sum(p.values())
    p = {i: v / total for i, v in p.items()}
    y = numbers[target]
    if kind == "mse":
        return (y - sum(p[i] * numbers[i] for i in numbers)) ** 2
    return sum(p[i] * abs(y - numbers[i]) for i in numbers)


@pytest.mark.parametrize("elsewhere", [-20.0, 0.0, 9.0])
def test_nearer_is_cheaper_whatever_other_tokens_have(elsewhere):
    """Said 3 or 9 where 4 is right, which cross-entropy finds equally wrong."""
    target = jnp.asarray(DIGITS.index("4"))
    for said, was, mse in (("4", 0, 0), ("3", 1, 1), ("9", 5, 25)):
        logits = logits_of({said: 1.0}, elsewhere)
        assert float(loss("wasserstein")(logits, target)) == pytest.approx(was, abs=1e-4)
        assert float(loss("mse")(logits, target)) == pytest.approx(mse, abs=1e-4)
        assert float(loss("wasserstein", 0.3)(logits, target)) == pytest.approx(0.3 * was, abs=1e-4)


def test_a_mean_that_is_right_by_chance_costs_nothing_but_under_wasserstein():
    """Half on 0 and half on 8: the mean is 4, which is why the paper has the second form."""
    logits, target = logits_of({"0": 0.5, "8": 0.5}), jnp.asarray(DIGITS.index("4"))
    assert float(loss("mse")(logits, target)) == pytest.approx(0, abs=1e-4)
    assert float(loss("wasserstein")(logits, target)) == pytest.approx(4, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("texts", [DIGITS, ["", "", "", "7", "12", "007", "-3", "a", "\u0663", "1000"]])
def test_against_the_definition(kind, texts):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (4, 6, len(texts)))
    targets = rng.integers(0, len(texts), (4, 6))
    got = loss(kind, 0.7, texts)(jnp.asarray(logits, jnp.float32), jnp.asarray(targets))
    expected = [[0.7 * slow(kind, texts, logits[i, j], targets[i, j]) for j in range(6)] for i in range(4)]
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_that_of_finite_differences(kind):
    rng = np.random.default_rng(1)
    logits, target = rng.normal(0, 1, len(DIGITS)), DIGITS.index("6")
    got = jax.grad(lambda x: loss(kind)(x, jnp.asarray(target)))(jnp.asarray(logits, jnp.float32))
    step = 1e-5
    for i in range(len(DIGITS)):
        above, below = logits.copy(), logits.copy()
        above[i] += step
        below[i] -= step
        slope = (slow(kind, DIGITS, above, target) - slow(kind, DIGITS, below, target)) / (2 * step)
        assert float(got[i]) == pytest.approx(slope, abs=1e-3)
    assert float(got[DIGITS.index("+")]) == 0.0


@pytest.mark.parametrize("texts", [["", "a", "b"], ["", "1", "+"], ["", "[NUM]"]])
def test_tokens_without_values(texts):
    with pytest.raises(
        ValueError, match=r"objective\.number_loss=mse needs tokens that are digits.*--tokenizer digits"
    ):
        loss("mse", texts=texts)
