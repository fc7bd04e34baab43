"""What the tasks on numbers share: laws to draw them from, and reading what a person types."""

import math
import random
import re

#: Up to so many different examples are listed, which takes a fraction of a second.
FEW = 100_000
#: Bits of a large log-uniform number that follow from its logarithm.
_LEADING_BITS = 32
#: Other characters for the signs of arithmetic.
_SPELLINGS = str.maketrans({"−": "-", "–": "-", "×": "*", "÷": "/"})


def of_digits(rng: random.Random, digits: int, base: int = 10) -> int:
    """Uniform among the natural numbers of that many digits; 0 has one."""
    return rng.randrange(0 if digits == 1 else base ** (digits - 1), base**digits)


def log_uniform(rng: random.Random, limit: int) -> int:
    """k in 1..limit with probability log((k + 1) / k) / log(limit + 1), close to proportional to 1/k.

    The integer part of a real number whose logarithm is uniform (Charton 2023, arXiv 2308.15594, section 5).
    Of a limit from 2**53 on, the leading bits of k follow this law and those behind them are uniform: a float
    holds no more.
    """
    if limit < 2**53:
        return min(int((limit + 1) ** rng.random()), limit)  # the power may round up to limit + 1
    exponent = rng.random() * math.log2(limit + 1)
    behind = max(int(exponent) - _LEADING_BITS, 0)
    leading = int(2 ** (exponent - behind))
    return min((leading << behind) + rng.getrandbits(behind), limit)


def spelled(text: str) -> str:
    """The signs of a question as programs write them: `-`, `*` and `/`."""
    return text.translate(_SPELLINGS)


def squeezed(text: str) -> str:
    """A question as typed, with plain signs, and without a final `=` and spaces but those inside numbers.

    `1 1/2` is not eleven halves: a space between digits or letters stays, and the question cannot be read.
    """
    return re.sub(r"(?<![0-9A-Za-z.])\s+|\s+(?![0-9A-Za-z.])", "", spelled(text)).removesuffix("=")


def cannot_read(text: str, example: str) -> ValueError:
    """The error for what is no question of a task; it shows one that is."""
    return ValueError(f"cannot read {text!r} as a question; write one such as {example}")


def check_range(name: str, low: int, high: int, least: int) -> None:
    """That a task's `min_NAME` and `max_NAME` make a range that begins at `least` or above.

    Raises:
      ValueError: if not.
    """
    if not least <= low <= high:
        raise ValueError(f"min_{name}={low} must be at least {least} and at most max_{name}={high}")
