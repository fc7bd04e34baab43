"""Binary numbers as the rules write them: from the lowest digit to the highest."""

import random


def digits(number: int, width: int = 0) -> str:
    """A number from its lowest digit on, with zeros after the highest up to `width`."""
    return f"{number:b}"[::-1].ljust(width, "0")


def draw_pair(rng: random.Random, length: int) -> tuple[str, str]:
    """Two numbers above 0 that have `length` - 1 digits together, the first width as likely as any."""
    first = rng.randint(1, length - 2)
    one, other = (digits(rng.randrange(1, 2**width), width) for width in (first, length - 1 - first))
    return one, other


def read_pair(text: str, sign: str) -> tuple[int, int] | None:
    """The numbers on both sides of a sign; None unless they are two, both above 0."""
    sides = text.split(sign)
    if len(sides) != 2 or not all(set(side) <= {"0", "1"} and "1" in side for side in sides):
        return None
    first, second = (int(side[::-1], 2) for side in sides)
    return first, second


def count_pairs(length: int) -> int:
    """How many different pairs `draw_pair` may give."""
    widths = range(1, length - 1)
    return sum((2**width - 1) * (2 ** (length - 1 - width) - 1) for width in widths)
