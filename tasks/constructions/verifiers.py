"""Whether a set keeps the rule of its problem: plain Python on exact integers, with loops over all cases.

This module imports nothing of jaxgpt and nothing of the problems. Each function gives the conflicts that a
set holds, as sorted tuples of elements. They are slow on purpose: nested loops are easy to trust.
"""

import itertools
from collections.abc import Iterable


def isosceles(n: int, chosen: Iterable[int]) -> list[tuple[int, ...]]:
    """The triples of points with two equal distances; the three may be in line."""

    def squared(a: int, b: int) -> int:
        return (a // n - b // n) ** 2 + (a % n - b % n) ** 2

    broken: list[tuple[int, ...]] = []
    for a, b, c in itertools.combinations(sorted(set(chosen)), 3):
        distances = {squared(a, b), squared(b, c), squared(a, c)}
        if len(distances) < 3:
            broken.append((a, b, c))
    return broken


def no_three(n: int, chosen: Iterable[int]) -> list[tuple[int, ...]]:
    """The triples of points whose triangle has no area."""
    broken: list[tuple[int, ...]] = []
    for a, b, c in itertools.combinations(sorted(set(chosen)), 3):
        (ay, ax), (by, bx), (cy, cx) = divmod(a, n), divmod(b, n), divmod(c, n)
        if ax * (by - cy) + bx * (cy - ay) + cx * (ay - by) == 0:
            broken.append((a, b, c))
    return broken


def cap_sets(n: int, chosen: Iterable[int]) -> list[tuple[int, ...]]:
    """The triples of points whose coordinates all have sums that 3 divides."""

    def coordinates(element: int) -> list[int]:
        found = []
        for _ in range(n):
            element, digit = divmod(element, 3)
            found.append(digit)
        return found

    points = {element: coordinates(element) for element in chosen}
    return [
        three
        for three in itertools.combinations(sorted(points), 3)
        if all(sum(digits) % 3 == 0 for digits in zip(*(points[element] for element in three), strict=True))
    ]


def c4_free(n: int, chosen: Iterable[int]) -> list[tuple[int, ...]]:
    """The cycles of four edges: two vertices with two common neighbours."""
    number: dict[tuple[int, int], int] = {}
    for first in range(n):
        for second in range(first + 1, n):
            number[first, second] = number[second, first] = len(number) // 2
    present = set(chosen)
    neighbours = {v: {w for w in range(n) if w != v and number[v, w] in present} for v in range(n)}
    broken = set()
    for v, w in itertools.combinations(range(n), 2):
        for x, y in itertools.combinations(sorted(neighbours[v] & neighbours[w]), 2):
            broken.add(tuple(sorted((number[v, x], number[x, w], number[w, y], number[y, v]))))
    return sorted(broken)


def sidon(chosen: Iterable[int]) -> list[tuple[int, ...]]:
    """The elements of two pairs with one sum; three where a number is added to itself."""
    pairs = list(itertools.combinations_with_replacement(sorted(set(chosen)), 2))
    return sorted(
        {
            tuple(sorted({*one, *other}))
            for one, other in itertools.combinations(pairs, 2)
            if one[0] + one[1] == other[0] + other[1]
        }
    )


def rectangles(n: int, chosen: Iterable[int]) -> list[tuple[int, ...]]:
    """The corners of rectangles whose four corners are ones."""
    present = set(chosen)
    return [
        corners
        for top, bottom in itertools.combinations(range(n), 2)
        for left, right in itertools.combinations(range(n), 2)
        if present.issuperset(
            corners := (n * top + left, n * top + right, n * bottom + left, n * bottom + right)
        )
    ]
