"""Prime magic squares of order three: all of them in a range, and those of the source document.

Every such square is c, c±a, c±b, c±(a+b), c±(a-b) with a > b > 0 and a != 2b, and its lines sum to 3c. One
triple (c, a, b) is one square up to the eight symmetries, so a square is stored as its triple.
"""

import functools
from typing import Literal

import numpy as np

Rule = Literal["all", "document"]
Cells = tuple[int, ...]  # nine entries, row by row

#: The rows, columns and diagonals, in the order in which the document states their sums.
LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (6, 4, 2))
#: The four rotations of a square and of its mirror image, as indices into its cells.
SYMMETRIES: tuple[Cells, ...] = tuple(
    tuple(map(int, np.rot90(face, turns).flat))
    for face in (np.arange(9).reshape(3, 3), np.arange(9).reshape(3, 3).T)
    for turns in range(4)
)
#: The document's `Matrix 1` has the fifth of all centres; the four before it are not in its numbering.
_DOCUMENT_SKIPS = 4
# Deciding for every integer below 3.3e24 (Sorenson and Webster 2015, arXiv 1509.00864).
_WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)


def prime_flags(limit: int) -> np.ndarray:
    """For each integer below `limit`, whether it is prime (sieve of Eratosthenes)."""
    flags = np.ones(limit, bool)
    flags[:2] = False
    for factor in range(2, int(limit**0.5) + 1):
        if flags[factor]:
            flags[factor * factor :: factor] = False
    return flags


def is_prime(number: int) -> bool:
    """Whether a number below 3.3e24 is prime (Miller-Rabin with deciding witnesses)."""
    if number < 2 or any(number % p == 0 for p in _WITNESSES):
        return number in _WITNESSES
    twos = ((number - 1) & (1 - number)).bit_length() - 1
    for witness in _WITNESSES:
        power = pow(witness, (number - 1) >> twos, number)
        orbit = [power := power * power % number if i else power for i in range(twos)]
        if orbit[0] != 1 and number - 1 not in orbit:
            return False
    return True


@functools.lru_cache(maxsize=4)
def squares(min_entry: int, limit: int, rule: Rule) -> np.ndarray:
    """The triples (c, a, b) of all squares with min_entry <= entries < limit, ordered by c, b, a. [N, 3]

    `document` keeps what the source document trained on: for each centre the smallest b and then the
    smallest a, the four smallest centres left out. Row i is then the document's `Matrix i+1`.
    """
    prime = prime_flags(limit)
    pairs_of = _every_pair if rule == "all" else _first_pair
    found = []
    for centre in (np.flatnonzero(prime[min_entry:]) + min_entry).tolist():
        pairs = pairs_of(_paired(centre, prime, min_entry, limit))
        if len(pairs):
            found.append(np.insert(pairs, 0, centre, axis=1))
    if rule == "document":
        found = found[_DOCUMENT_SKIPS:]
    triples = np.concatenate([np.zeros((0, 3), np.int32), *found])
    triples.setflags(write=False)  # the cache hands out one array
    return triples


def _paired(centre: int, prime: np.ndarray, min_entry: int, limit: int) -> np.ndarray:
    """For each d up to twice the reach, whether centre-d and centre+d are both entries: primes in range."""
    reach = max(0, min(centre - min_entry, limit - 1 - centre))
    paired = np.zeros(2 * reach + 1, bool)
    paired[1 : reach + 1] = prime[centre + 1 : centre + reach + 1] & prime[centre - reach : centre][::-1]
    return paired


def _every_pair(paired: np.ndarray) -> np.ndarray:
    """The pairs (a, b) of one centre, ordered by b, then a. [N, 2]"""
    steps = np.flatnonzero(paired).astype(np.int32)
    small, large = np.triu_indices(len(steps), 1)
    return _magic(steps[large], steps[small], paired)


def _first_pair(paired: np.ndarray) -> np.ndarray:
    """The first of `_every_pair`, found without the others. [0 or 1, 2]"""
    steps = np.flatnonzero(paired).astype(np.int32)
    for index in range(len(steps)):
        larger = steps[index + 1 :]
        pairs = _magic(larger, np.full_like(larger, steps[index]), paired)
        if len(pairs):
            return pairs[:1]
    return np.zeros((0, 2), np.int32)


def _magic(a: np.ndarray, b: np.ndarray, paired: np.ndarray) -> np.ndarray:
    """Those of the pairs a > b that make a square. [N, 2]"""
    # a - b = b would put the same number into two cells.
    kept = paired[a + b] & paired[a - b] & (a != 2 * b)
    return np.stack([a[kept], b[kept]], axis=1)


def cells(centre: int, a: int, b: int) -> Cells:
    """The square of a triple, turned as the document turns it."""
    c, total, difference = centre, a + b, a - b
    return (c - b, c - difference, c + a, c + total, c, c - total, c - a, c + difference, c + b)


def triple(square: Cells) -> tuple[int, int, int]:
    """The triple (c, a, b) of a magic square, the same for its eight symmetries: a and b are at corners."""
    b, a = sorted((abs(square[0] - square[4]), abs(square[2] - square[4])))
    return square[4], a, b
