"""What noise is: a frozen description that turns a text's tokens into what is read and what is restored."""

import dataclasses
import random
from typing import NamedTuple

from jaxgpt.core.choice import Choice

#: How many times as long as its text a source may be: there is room for a mark for every other token.
ROOM = 1.5


class Marks(NamedTuple):
    """Ids that stand for what is hidden, and those that sentences end with.

    Attributes:
      hidden: as many as the noise asks for, the first one first.
      stops: ids whose text ends a sentence: in a full stop, an exclamation mark or a question mark.
    """

    hidden: tuple[int, ...]
    stops: frozenset[int]


@dataclasses.dataclass(frozen=True)
class Noise(Choice, package="jaxgpt.noise"):
    """A way to spoil a text."""

    @property
    def count(self) -> int:
        """Ids behind the tokenizer's that it marks what is hidden with."""
        return 0

    def spoil(self, tokens: list[int], rng: random.Random, marks: Marks) -> tuple[list[int], list[int]]:
        """What the encoder reads and what the decoder writes, for tokens without special ones."""
        raise NotImplementedError


def check_share(name: str, value: float) -> None:
    """Raises ValueError unless a share lies between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"noise.{name}={value} must be above 0 and below 1")


def check_mean(value: float) -> None:
    """Raises ValueError for a mean length of spans that would take no end of draws."""
    if not 0.1 <= value <= 1000:
        raise ValueError(f"noise.mean={value} must be between 0.1 and 1000")


def poisson(rng: random.Random, mean: float) -> int:
    """A draw from the Poisson distribution: arrivals in one unit of time."""
    count, time = 0, rng.expovariate(mean)
    while time < 1:
        count, time = count + 1, time + rng.expovariate(mean)
    return count
