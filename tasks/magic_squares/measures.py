"""What a set of generated squares is worth: each measure of the source document, and what it left open."""

from collections.abc import Iterable, Set

import numpy as np

from tasks.magic_squares.layouts import Reading
from tasks.magic_squares.squares import LINES, Cells, is_prime, triple

Triple = tuple[int, int, int]


def distinct(square: Cells) -> bool:
    """Whether no number stands in two cells."""
    return len(set(square)) == 9


def agreeing(square: Cells) -> bool:
    """Whether the eight line sums are one number."""
    return len({sum(square[i] for i in line) for line in LINES}) == 1


def valid(reading: Reading, centre: int | None) -> bool:
    """Nine distinct primes, eight equal sums, every stated sum true, and the centre that was asked for."""
    square = reading.square
    return (
        (centre is None or square[4] == centre)
        and distinct(square)
        and agreeing(square)
        and all(reading.sums)
        and all(map(is_prime, square))
    )


def measure(
    readings: list[tuple[Reading | None, int | None]], training: Set[Triple], truth: np.ndarray
) -> dict[str, float]:
    """The measures of a set of completions; shares are 0 where there is nothing to take a share of.

    `parses`: completions that can be read; the next four are shares of what those hold: `prime_entries` of
    the entries, `distinct_entries` and `equal_sums` of the squares, `true_sums` of the stated sums.
    `valid`: completions that are right in every way, centre included. `novel`: share of the valid ones that
    are not in the training set, up to symmetry. `unique_valid_per_1000`: different valid squares, up to
    symmetry, in 1,000 completions. `coverage`: share of all squares in the task's range that were found.

    Args:
      readings: (what was read, or None where nothing could be; the centre asked for, if one was).
      training: triples of the squares trained on.
      truth: triples of all squares in the range. [N, 3]
    """
    read = [reading for reading, _ in readings if reading is not None]
    right = [triple(r.square) for r, centre in readings if r is not None and valid(r, centre)]
    # Only the rows of centres that were found: a large range has two million.
    near = truth[np.isin(truth[:, 0], [found[0] for found in right])]
    return {
        "parses": len(read) / max(len(readings), 1),
        "prime_entries": _share(is_prime(entry) for r in read for entry in r.square),
        "distinct_entries": _share(distinct(r.square) for r in read),
        "equal_sums": _share(agreeing(r.square) for r in read),
        "true_sums": _share(stated for r in read for stated in r.sums),
        "valid": len(right) / max(len(readings), 1),
        "novel": _share(found not in training for found in right),
        "unique_valid_per_1000": 1000 * len(set(right)) / max(len(readings), 1),
        "coverage": len(set(right) & set(map(tuple, near.tolist()))) / max(len(truth), 1),
    }


def _share(truths: Iterable[bool]) -> float:
    listed = list(truths)
    return sum(listed) / max(len(listed), 1)
