"""Self-BLEU: how much of each of several texts also stands in the others."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_ORDER = 4
#: In place of a count of 0, as in method 1 of Chen and Cherry (2014).
_EPSILON = 0.1


class SelfBleu(NamedTuple):
    """BLEU of each of N texts.

    Attributes:
      scores: with all others as references. [N]
      without: of text i, where text j is no reference; NaN where i is j, and where no other is left. [N, N]
    """

    scores: np.ndarray
    without: np.ndarray


def self_bleu(texts: Sequence[str]) -> SelfBleu:
    """BLEU-4 of each text against all others (Zhu et al. 2018, Texygen, arXiv 1802.01886, section 2.2).

    Words are separated by white space. BLEU is that of one sentence (Papineni et al. 2002, section 2.3): the
    geometric mean of four clipped precisions, times the brevity penalty for the reference of the closest
    length, the shorter of two. Where no n-gram is found, .1 is counted (Chen and Cherry 2014, method 1), and
    where no word is, BLEU is 0: NLTK's `sentence_bleu` with `SmoothingFunction().method1`.

    Raises:
      ValueError: for fewer than two texts.
    """
    if len(texts) < 2:
        raise ValueError(f"{len(texts)} texts have no others to be compared with; give at least two")
    words = [text.split() for text in texts]
    count = len(words)
    found, lost = np.zeros((count, _ORDER)), np.zeros((count, count, _ORDER))
    for n in range(_ORDER):
        runs = [Counter(zip(*(row[i:] for i in range(n + 1)), strict=False)) for row in words]
        most = _most(runs)
        for i, own in enumerate(runs):
            for run, times in own.items():
                others = [(most_times, j) for most_times, j in most[run] if j != i]
                if others:
                    # Without the text that has it most often, the next one counts.
                    first, second = min(times, others[0][0]), others[1][0] if len(others) > 1 else 0
                    found[i, n] += first
                    lost[i, others[0][1], n] += first - min(times, second)
    lengths = np.asarray([len(row) for row in words], np.float64)
    closest, closest_without = _closest(lengths)
    totals = np.maximum(lengths[:, None] - np.arange(_ORDER), 1)
    scores = _bleu(found, totals, lengths, closest)
    without = _bleu(found[:, None] - lost, totals[:, None], lengths[:, None], closest_without)
    without[np.eye(count, dtype=bool) | np.isinf(closest_without)] = np.nan
    return SelfBleu(scores, without)


def _most(runs: Sequence[Counter]) -> dict[tuple[str, ...], list[tuple[int, int]]]:
    """Of each n-gram the three texts that have it most often: how often, and which."""
    found: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for j, own in enumerate(runs):
        for run, times in own.items():
            most = found.setdefault(run, [])
            most.append((times, j))
            most.sort(reverse=True)
            del most[3:]
    return found


def _closest(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each text the length of the other that comes closest, [N], and that without each one, [N, N]."""
    count = len(lengths)
    closest, without = np.zeros(count), np.zeros((count, count))
    for i, length in enumerate(lengths):
        others = sorted((abs(lengths[j] - length), lengths[j], j) for j in range(count) if j != i)
        closest[i] = without[i] = others[0][1]
        without[i, others[0][2]] = others[1][1] if len(others) > 1 else np.inf
    return closest, without


def _bleu(found: np.ndarray, totals: np.ndarray, lengths: np.ndarray, closest: np.ndarray) -> np.ndarray:
    """BLEU of n-grams found [..., 4] among totals, and of the texts' and their references' lengths."""
    mean = np.exp(np.log(np.where(found == 0, _EPSILON, found) / totals).mean(axis=-1))
    penalty = np.exp(np.minimum(1 - closest / np.maximum(lengths, 1), 0))
    return np.where(found[..., 0] == 0, 0.0, mean * penalty)
