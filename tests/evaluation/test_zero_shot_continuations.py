"""Probabilities of continuations and of long texts, against the plain decoder one text at a time."""

import numpy as np
import pytest
from zero_shot_models import LENGTH, log_likelihood, log_probabilities, model, tokenizer

from jaxgpt.evaluation.zero_shot import continuations
from jaxgpt.evaluation.zero_shot.continuations import Continuation, cut, encoded, score
from jaxgpt.evaluation.zero_shot.rolling import windows


def drawn(count: int, seed: int = 0) -> list[Continuation]:
    """Of many lengths; half of the tokens are the likeliest in their place."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        context, length = int(rng.integers(1, 25)), int(rng.integers(1, 8))
        ids = [int(one) for one in rng.integers(3, 290, context)]
        for _ in range(length):
            likeliest = int(log_probabilities(tuple(ids))[-1].argmax())
            ids.append(likeliest if rng.random() < 0.7 else int(rng.integers(3, 290)))
        found.append(Continuation(tuple(ids[:context]), tuple(ids[context:])))
    return found


def test_scores_are_those_of_the_plain_decoder(monkeypatch):
    monkeypatch.setattr(continuations, "_TOKENS", 4 * LENGTH)  # the last batch of a kind is not full
    asked = drawn(14)
    calls = []
    found = score([model(), model(1)], asked, progress=lambda done, total: calls.append((done, total)))
    for seed, of_model in enumerate(found):
        for one, got in zip(asked, of_model, strict=True):
            total, likeliest = log_likelihood([*one.context], [*one.ids], seed)
            assert got.log_likelihood == pytest.approx(total, abs=1e-4)
            assert got.likeliest.tolist() == likeliest and got.allowed == likeliest[0]
    assert any(one.likeliest.all() for one in found[0]) and not all(one.likeliest.all() for one in found[0])
    assert calls[-1] == (28, 28) and [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_the_first_token_is_the_likeliest_of_those_that_are_not_banned():
    ids = (5, 9, 12)
    order = np.argsort(-log_probabilities(ids)[-1])
    banned = np.zeros(model().config.vocab_size, bool)
    banned[order[:2]] = True
    asked = [Continuation(ids, (int(token), 7)) for token in order[:4]]
    (found,) = score([model()], asked, banned=banned)
    assert [one.allowed for one in found] == [False, False, True, False]
    assert [bool(one.likeliest[0]) for one in found] == [True, False, False, False]


def test_a_context_that_is_too_long_loses_its_beginning():
    one = Continuation(tuple(range(3, 60)), (61, 62, 63))
    short, was_cut = cut(one, LENGTH)
    assert was_cut and short.context == tuple(range(3, 60))[-(LENGTH - 2) :] and short.ids == one.ids
    assert cut(short, LENGTH) == (short, False)
    (found,) = score([model()], [short])
    assert found[0].log_likelihood == pytest.approx(log_likelihood([*one.context], [*one.ids])[0], abs=1e-4)
    with pytest.raises(ValueError, match="has 33 tokens and the model reads 32"):
        cut(Continuation((3,), (4,) * 33), LENGTH)


def test_white_space_at_the_end_of_a_context_belongs_to_what_follows():
    ours = tokenizer()
    assert encoded(ours, "the cat  ", "sat") == encoded(ours, "the cat", "  sat")
    one = encoded(ours, "", "the cat")
    assert one.context == (ours.bos_id,) and list(one.ids) == ours.encode("the cat")
    with pytest.raises(ValueError, match="adds no token"):
        encoded(ours, "the cat", "")


@pytest.mark.parametrize("count", [1, 7, 8, 9, 16, 17, 29])
@pytest.mark.parametrize("stride", [1, 3, 8])
def test_every_token_of_a_text_is_predicted_once_from_what_the_stride_leaves(count, stride):
    """Token i stands behind all tokens while they fit, and behind max_length - stride + 1 or more later."""
    ids, first, length = list(range(100, 100 + count)), 99, 8
    parts = windows(ids, first, max_length=length, stride=stride)
    assert [token for part in parts for token in part.ids] == ids
    place = 0
    for number, part in enumerate(parts):
        assert len(part.ids) == (min(count, length) if number == 0 else min(stride, count - place))
        for within in range(len(part.ids)):
            seen = [*part.context, *part.ids[:within]]
            assert seen == [first, *ids][: place + 1][-len(seen) :]
            assert len(seen) == place + 1 if number == 0 else length - stride < len(seen) <= length
            place += 1
    assert all(len(part.context) + len(part.ids) - 1 == length for part in parts[1:])


def test_a_stride_must_fit_the_model():
    for stride in (0, 9):
        with pytest.raises(ValueError, match=f"stride={stride}: tokens from 1 to the 8"):
            windows([1, 2], 0, max_length=8, stride=stride)
