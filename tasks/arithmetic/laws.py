"""Sampling laws: from which distribution the operands of a question are drawn.

Every law draws operands of `shortest` to `longest` digits, without leading zeros; 0 has one digit.
"""

import functools
import itertools
import math
import random
from collections.abc import Callable

from tasks.numbers import of_digits

#: The longest operands of `balanced_carries`, which takes seconds for a pair of them.
MOST_DIGITS = 1000
#: So many digits `_ways` may be asked to go down at once: Python nests about a thousand calls.
_STEP = 100

Law = Callable[[random.Random, int, int, int], tuple[int, ...]]


def digits(rng: random.Random, count: int, shortest: int, longest: int) -> tuple[int, ...]:
    """Each operand's length uniform and on its own, then the number uniform among those of that length."""
    return tuple(of_digits(rng, rng.randrange(shortest, longest + 1)) for _ in range(count))


def uniform(rng: random.Random, count: int, shortest: int, longest: int) -> tuple[int, ...]:
    """Each operand uniform among the numbers of the allowed lengths; nine of ten have the longest."""
    return tuple(rng.randrange(_smallest(shortest), 10**longest) for _ in range(count))


def log_uniform(rng: random.Random, count: int, shortest: int, longest: int) -> tuple[int, ...]:
    """Each operand the whole part of 10**u, u uniform in [shortest - 1, longest); never 0.

    The lengths are those of `digits`, the first digits follow Benford's law: d with log10(1 + 1/d).
    """
    return tuple(_benford(rng, rng.randrange(shortest, longest + 1)) for _ in range(count))


def balanced_carries(rng: random.Random, count: int, shortest: int, longest: int) -> tuple[int, ...]:
    """Two operands whose sum has a number of carries that is uniform in 0 to `longest`.

    The balanced carries of Lee et al. 2023 (arXiv 2307.03381, on the sampling of their training data), which
    fill each number of carries equally. Here the number is drawn first, then both lengths as in `digits`,
    again and again until the longer one has room for that many carries, then the pair, uniformly among all
    pairs of those lengths with exactly so many carries. `longest` is at most `MOST_DIGITS`.
    """
    carries = rng.randrange(longest + 1)
    while True:
        lengths = [rng.randrange(shortest, longest + 1) for _ in range(count)]
        if max(lengths) >= carries:
            break
    first, second = (_pair if lengths[0] >= lengths[1] else _swapped)(rng, *lengths, carries)
    return first, second


LAWS: dict[str, Law] = {
    "digits": digits,
    "uniform": uniform,
    "log_uniform": log_uniform,
    "balanced_carries": balanced_carries,
}


def _smallest(length: int) -> int:
    return 0 if length == 1 else 10 ** (length - 1)


def _benford(rng: random.Random, length: int) -> int:
    """Log-uniform among the numbers of that length: 16 digits from a float, uniform ones behind them."""
    head = math.floor(10 ** rng.random() * 10**15)
    if length <= 16:
        return head // 10 ** (16 - length)
    return head * 10 ** (length - 16) + rng.randrange(10 ** (length - 16))


def _swapped(rng: random.Random, shorter: int, longer: int, carries: int) -> tuple[int, int]:
    return _pair(rng, longer, shorter, carries)[::-1]


def _pair(rng: random.Random, longer: int, shorter: int, carries: int) -> tuple[int, int]:
    """Uniform among the pairs of those lengths with so many carries: place by place, lowest first.

    A place makes a carry or not in proportion to the pairs that each choice leaves possible.
    """
    _fill(longer, shorter, carries)
    numbers, carry = [0, 0], 0
    for place in range(longer):
        rest = longer - place, max(shorter - place, 0)
        digits_there = [_choices(length, lowest=place == 0) for length in rest]
        pairs = [_admitted(*digits_there, carry, out) for out in (0, 1)]
        weights = [
            len(pairs[out]) * _ways(rest[0] - 1, max(rest[1] - 1, 0), out, carries - out) for out in (0, 1)
        ]
        # Whole numbers: for long operands they are larger than a float can be.
        carry = int(rng.randrange(sum(weights)) >= weights[0])
        carries -= carry
        for index, digit in enumerate(rng.choice(pairs[carry])):
            numbers[index] += digit * 10**place
    return numbers[0], numbers[1]


def _fill(longer: int, shorter: int, carries: int) -> None:
    """Have what `_pair` asks of `_ways` known of short numbers first, so that no call goes down far."""
    for left in range(_STEP, longer, _STEP):
        below = longer - left
        for more, carry in itertools.product(range(max(carries - below, 0), carries + 1), (0, 1)):
            _ways(left, max(shorter - below, 0), carry, more)


@functools.lru_cache(maxsize=1_000_000)
def _ways(longer: int, shorter: int, carry: int, carries: int) -> int:
    """Ways to go on above the ones with exactly so many more carries.

    `longer` and `shorter` digits are left of both numbers, and `carry` comes in.
    """
    if carries < 0 or carries > longer:
        return 0
    if not longer:
        return 1
    return sum(
        len(_admitted(_choices(longer), _choices(shorter), carry, out))
        * _ways(longer - 1, max(shorter - 1, 0), out, carries - out)
        for out in (0, 1)
    )


def _choices(left: int, lowest: bool = False) -> range:
    """The digits that may stand where `left` digits of a number are left, the one there included.

    Only 0 itself begins with 0, and above the first digit there is none.
    """
    if not left:
        return range(1)
    return range(1, 10) if left == 1 and not lowest else range(10)


@functools.cache
def _admitted(first: range, second: range, carry: int, out: int) -> list[tuple[int, int]]:
    """The pairs of digits that send out a carry, or none, where `carry` comes in."""
    return [(a, b) for a in first for b in second if (a + b + carry >= 10) == bool(out)]
