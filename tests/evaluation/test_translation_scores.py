"""BLEU and chrF against their definitions, with several references a text."""

import math
import sys
from collections import Counter

import numpy as np
import pytest

from jaxgpt.evaluation.translation_scores import bleu, bleu_gain, chrf

RNG = np.random.default_rng(0)


def runs(symbols, n):
    return Counter(tuple(symbols[i : i + n]) for i in range(len(symbols) - n + 1))


def drawn(count):
    """Texts of few different words, so that every length of n-gram is found, with 1 to 3 references each."""
    texts = [" ".join(RNG.choice(list("abc"), RNG.integers(5, 12))) for _ in range(count)]
    references = [
        tuple(" ".join(RNG.choice(list("abc"), RNG.integers(5, 12))) for _ in range(RNG.integers(1, 4)))
        for _ in range(count)
    ]
    return texts, references


def bleu_by_hand(texts, references):
    """Papineni et al. 2002, sections 2.2 and 2.3, over words between spaces."""
    found, total, own, closest = Counter(), Counter(), 0, 0
    for text, several in zip(texts, references, strict=True):
        words, others = text.split(), [reference.split() for reference in several]
        own += len(words)
        closest += min((abs(len(other) - len(words)), len(other)) for other in others)[1]
        for n in (1, 2, 3, 4):
            counts = runs(words, n)
            total[n] += sum(counts.values())
            found[n] += sum(min(c, max(runs(other, n)[run] for other in others)) for run, c in counts.items())
    mean = sum(math.log(found[n] / total[n]) for n in (1, 2, 3, 4)) / 4
    return 100 * math.exp(mean + min(0.0, 1 - closest / own))


def chrf_by_hand(texts, references):
    """Popović 2015: mean precision and recall of runs of 1 to 6 characters without spaces; recall counts four
    times as much. One reference a text."""
    precisions, recalls = [], []
    for n in range(1, 7):
        pairs = [
            (runs(text.replace(" ", ""), n), runs(reference.replace(" ", ""), n))
            for text, (reference,) in zip(texts, references, strict=True)
        ]
        both = sum((own & other).total() for own, other in pairs)
        precisions.append(both / sum(own.total() for own, _ in pairs))
        recalls.append(both / sum(other.total() for _, other in pairs))
    p, r = np.mean(precisions), np.mean(recalls)
    return 100 * 5 * p * r / (4 * p + r)


def test_bleu_is_its_definition():
    for _ in range(5):
        texts, references = drawn(30)
        assert bleu(texts, references) == pytest.approx(bleu_by_hand(texts, references), rel=1e-9)


def test_chrf_is_its_definition():
    texts, references = drawn(30)
    references = [several[:1] for several in references]
    assert chrf(texts, references) == pytest.approx(chrf_by_hand(texts, references), rel=1e-9)


@pytest.mark.parametrize("measure", (bleu, chrf))
def test_any_of_the_references_is_right(measure):
    texts, references = drawn(6)
    right = [(*several, text) for text, several in zip(texts, references, strict=True)]
    assert measure(texts, right) == pytest.approx(100)
    assert measure([""] * 6, right) == 0


def test_a_gain_is_the_difference_of_bleu_and_its_interval_that_of_drawn_sentences():
    texts, references = drawn(20)
    worse = [" ".join(reversed(text.split())) for text in texts]
    better = [
        several[0] if i % 2 else text for i, (text, several) in enumerate(zip(texts, references, strict=True))
    ]
    found = bleu_gain([better, texts], [worse, worse], references, samples=400)
    by_hand = [bleu_by_hand(seed, references) - bleu_by_hand(worse, references) for seed in (better, texts)]
    assert found.per_seed == pytest.approx(by_hand, rel=1e-9) and found.mean == pytest.approx(
        np.mean(by_hand)
    )
    gains = []
    for _ in range(150):
        chosen = RNG.integers(0, 20, 20)
        several = [references[i] for i in chosen]
        scores = [bleu_by_hand([side[i] for i in chosen], several) for side in (better, texts, worse)]
        gains.append((scores[0] + scores[1]) / 2 - scores[2])
    assert found.interval == pytest.approx(np.quantile(gains, [0.025, 0.975]), abs=2)
    same = bleu_gain([texts], [texts], references, samples=20)
    assert same.mean == 0 and same.interval == (0, 0)
    with pytest.raises(ValueError, match="1 seeds cannot be paired with 2"):
        bleu_gain([texts], [texts, texts], references)


def test_what_cannot_be_scored_is_told(monkeypatch):
    with pytest.raises(ValueError, match="2 translations and references for 1; give each text one"):
        bleu(["a", "b"], [("a",), ()])
    with pytest.raises(ValueError, match="0 translations"):
        chrf([], [])
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(ValueError, match=r"sacrebleu, which is not installed: pip install 'jaxgpt\[bleu\]'"):
        bleu(["a"], [("a",)])
