"""BLEU and chrF of translations, as sacrebleu computes them."""

from collections.abc import Sequence
from types import ModuleType

import numpy as np

from jaxgpt.evaluation.intervals import Estimate


def bleu(texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU (Papineni et al. 2002), from 0 to 100, in the form of Post 2018 (arXiv 1804.08771).

    sacrebleu's signature: `nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp`.

    Args:
      texts: the translations. N of them
      references: right translations of each, one or more. N of them

    Raises:
      ValueError: without a text, for a text without a reference, or if sacrebleu is not installed.
    """
    return float(_sacrebleu().corpus_bleu(list(texts), _streams(texts, references)).score)


def chrf(texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus chrF2 (Popović 2015), the F-score of runs of 1 to 6 characters, from 0 to 100.

    Args, Raises: as of `bleu`.
    """
    return float(_sacrebleu().corpus_chrf(list(texts), _streams(texts, references)).score)


def bleu_gain(
    texts: Sequence[Sequence[str]],
    baseline: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    *,
    samples: int = 1000,
) -> Estimate:
    """How much more BLEU one model's translations have than another's, with an interval over sentences.

    The interval is that of the paired bootstrap (Koehn 2004, section 3): the same sentences are drawn for
    both models and all seeds. It tells what other sentences would give to these models; what other seeds
    would give on these sentences is told by `paired` of `jaxgpt.evaluation.intervals`.

    Args:
      texts, baseline: translations of each seed. [R][N]
      references: as of `bleu`. [N]
      samples: how often sentences are drawn.

    Raises:
      ValueError: as of `bleu`, and if the two do not have as many seeds.
    """
    if len(texts) != len(baseline):
        raise ValueError(f"{len(texts)} seeds cannot be paired with {len(baseline)}")
    counts = np.stack([[_counts(seed, references) for seed in side] for side in (texts, baseline)])
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(references), np.full(len(references), 1 / len(references)), samples)
    sums = np.einsum("sn,krnc->skrc", np.vstack([np.ones_like(drawn[:1]), drawn]), counts)
    scores = np.apply_along_axis(_of_counts, -1, sums)  # [1 + samples, 2, R]
    gains = scores[:, 0] - scores[:, 1]
    low, high = np.quantile(gains[1:].mean(axis=1), [0.025, 0.975])
    return Estimate(float(gains[0].mean()), (float(low), float(high)), tuple(map(float, gains[0])))


def _counts(texts: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
    """Of each text the n-grams that are right, those that there are, and both lengths. [N, 10]"""
    _streams(texts, references)
    scored = [_sacrebleu().sentence_bleu(t, list(r)) for t, r in zip(texts, references, strict=True)]
    return np.asarray([[*one.counts, *one.totals, one.sys_len, one.ref_len] for one in scored], np.int64)


def _of_counts(sums: np.ndarray) -> float:
    """Corpus BLEU of summed counts."""
    right, total, (own, closest) = sums[:4].tolist(), sums[4:8].tolist(), sums[8:].tolist()
    compute = _sacrebleu().metrics.BLEU.compute_bleu
    return float(compute(right, total, int(own), int(closest), smooth_method="exp").score)


def check_installed() -> None:
    """Raises ValueError, with the command that installs it, if sacrebleu is not there."""
    _sacrebleu()


def _streams(texts: Sequence[str], references: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """The first reference of every text, then the second ones, and so on; None where a text has fewer."""
    if not texts or len(texts) != len(references) or not all(references):
        have = sum(map(bool, references))
        raise ValueError(f"{len(texts)} translations and references for {have}; give each text one at least")
    most = max(map(len, references))
    return [[one[i] if i < len(one) else None for one in references] for i in range(most)]


def _sacrebleu() -> ModuleType:
    try:
        import sacrebleu
    except ModuleNotFoundError as error:
        raise ValueError(
            "BLEU and chrF need the package sacrebleu, which is not installed: pip install 'jaxgpt[bleu]' "
            "(in a checkout: pip install -e '.[bleu]')"
        ) from error
    return sacrebleu
