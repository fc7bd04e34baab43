"""How varied generated text is, and how much of it is copied from the training text."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

# Stands between documents: no character, so that a copy never crosses from one document into the next.
_BETWEEN = 0x110000
_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(int(_BASE), -1, 2**64))
_FILTER_BITS = 22


def distinct_n(texts: Iterable[str], n: int) -> float:
    """Different n-grams of words over the number of words (Li et al. 2016, arXiv 1510.03055, section 5).

    Words are separated by white space; n-grams do not cross from one text into the next. 0 without words.
    """
    if n < 1:
        raise ValueError(f"n={n} must be at least 1")
    seen, words = set(), 0
    for text in texts:
        pieces = text.split()
        words += len(pieces)
        seen.update(zip(*(pieces[i:] for i in range(n)), strict=False))
    return len(seen) / words if words else 0.0


class CopyIndex:
    """A training text in which the longest stretch that another text shares with it can be found.

    Stretches are compared by a polynomial hash modulo 2^64, computed for all places at once. A text that
    shares L characters shares L - 1, so the length is found by bisection, and a longer stretch is looked
    for only where a shorter one was found.
    """

    def __init__(self, documents: Iterable[str]):
        self._hashes = _Hashes(_codes(documents))

    def longest_copies(self, texts: Sequence[str]) -> list[int]:
        """For each text, the characters of its longest stretch that stands in one training document."""
        found = [0] * len(texts)
        queries = {i: _Hashes(_codes([text])) for i, text in enumerate(texts) if text}
        if queries:
            everywhere = np.arange(self._hashes.size)
            longest = max(query.size for query in queries.values())
            self._bisect(queries, everywhere, 0, longest + 1, found)
        return found

    def _bisect(self, queries, places, low, high, found):
        """Every query has a stretch of `low` characters, none has one of `high`; `places` are the starts."""
        if high - low == 1 or not queries:
            for index in queries:
                found[index] = low
            return
        length = (low + high) // 2
        windows = {i: q.windows(np.arange(max(q.size - length + 1, 0)), length) for i, q in queries.items()}
        wanted = np.unique(np.concatenate(list(windows.values())))
        places_here = places[places <= self._hashes.size - length]
        here = self._hashes.windows(places_here, length)
        hit = _among(here, wanted)
        shared = np.unique(here[hit])
        longer = {i: queries[i] for i, w in windows.items() if _among(w, shared).any()}
        shorter = {i: q for i, q in queries.items() if i not in longer}
        self._bisect(longer, places_here[hit], length, high, found)
        self._bisect(shorter, places, low, length, found)


def variety(texts: Sequence[str], training: Iterable[str]) -> dict[str, float]:
    """distinct-1, -2 and -3, and the longest copy from the training text in characters: mean and most."""
    copies = CopyIndex(training).longest_copies(texts)
    return {f"distinct_{n}": distinct_n(texts, n) for n in (1, 2, 3)} | {
        "copy_characters_mean": float(np.mean(copies)) if copies else 0.0,
        "copy_characters_max": float(max(copies, default=0)),
    }


def variety_limit(name: str) -> float:
    """The largest value that a measure of `variety` can have: 1 for distinct-n, which is a share."""
    return 1.0 if name.startswith("distinct_") else math.inf


class _Hashes:
    """Hashes of any window of a sequence: sum over j of code[i + j] * base^j, modulo 2^64."""

    def __init__(self, codes: np.ndarray):
        self.size = len(codes)
        powers = np.full(self.size, _BASE, np.uint64)
        inverse = np.full(self.size, _INVERSE, np.uint64)
        if self.size:
            powers[0] = inverse[0] = 1
        self._inverse = np.cumprod(inverse, dtype=np.uint64)
        terms = np.cumprod(powers, dtype=np.uint64) * codes.astype(np.uint64)
        self._sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])

    def windows(self, starts: np.ndarray, length: int) -> np.ndarray:
        return (self._sums[starts + length] - self._sums[starts]) * self._inverse[starts]


def _among(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Which of `values` are in the sorted `known`; a table of the first bits spares most of the search."""
    if not len(known):
        return np.zeros(len(values), bool)
    shift = np.uint64(64 - _FILTER_BITS)
    table = np.zeros(2**_FILTER_BITS, bool)
    table[(known >> shift).astype(np.int64)] = True
    result = table[(values >> shift).astype(np.int64)]
    rest = values[result]
    places = np.minimum(np.searchsorted(known, rest), len(known) - 1)
    result[result] = known[places] == rest
    return result


def _codes(documents: Iterable[str]) -> np.ndarray:
    """Code points, with what is no character between documents; 0 would be blind to its number."""
    pieces = []
    for document in documents:
        points = np.frombuffer(document.encode("utf-32-le", "surrogatepass"), np.uint32)
        pieces += [points + np.uint32(1), np.array([_BETWEEN + 1], np.uint32)]
    return np.concatenate(pieces[:-1]) if pieces else np.zeros(0, np.uint32)
