"""Self-BLEU against the definition, text by text."""

import math
from collections import Counter

import numpy as np
import pytest

from jaxgpt.evaluation.self_bleu import self_bleu


def runs(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(words, references):
    """Papineni et al. 2002, one sentence; .1 in place of a count of 0, as Chen and Cherry's method 1."""
    logs = 0.0
    for n in (1, 2, 3, 4):
        own = runs(words, n)
        clipped = sum(min(own[run], max(runs(r, n)[run] for r in references)) for run in own)
        if n == 1 and clipped == 0:
            return 0.0
        logs += math.log((clipped or 0.1) / max(sum(own.values()), 1)) / 4
    closest = min((abs(len(r) - len(words)), len(r)) for r in references)[1]
    return math.exp(logs) * min(1.0, math.exp(1 - closest / len(words)))


def test_each_text_is_compared_with_all_others():
    rng = np.random.default_rng(0)
    for _ in range(40):
        count = int(rng.integers(3, 7))
        texts = [" ".join(rng.choice(list("abcd"), rng.integers(0, 12))) for _ in range(count)]
        words = [text.split() for text in texts]
        scores, without = self_bleu(texts)
        for i in range(count):
            others = [j for j in range(count) if j != i]
            assert scores[i] == pytest.approx(bleu(words[i], [words[j] for j in others]), abs=1e-12)
            for gone in others:
                left = [words[j] for j in others if j != gone]
                assert without[i, gone] == pytest.approx(bleu(words[i], left), abs=1e-12)
        assert np.isnan(np.diag(without)).all()


def test_cases_computed_by_hand():
    # Of "a b c d e": 5/5 words, 3/4 pairs, 1/3 triples, and no run of four, which counts as .1 of 2.
    scores, _ = self_bleu(["a b c d e", "a b x c d e"])
    assert scores[0] == pytest.approx(math.exp(1 - 6 / 5) * (3 / 4 * 1 / 3 * 1 / 20) ** 0.25)
    assert self_bleu(["a b c d", "a b c d", "x"]).scores.tolist() == [1, 1, 0]
    assert self_bleu(["", ""]).scores.tolist() == [0, 0]
    with pytest.raises(ValueError, match="1 texts have no others to be compared with; give at least two"):
        self_bleu(["a"])
