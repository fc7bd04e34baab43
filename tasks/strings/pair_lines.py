"""What rules on lines that follow from two random numbers have in common."""

import abc
import collections
import dataclasses
import functools
import itertools
import math
import random
import statistics
from collections.abc import Iterable, Mapping
from typing import ClassVar

from tasks.strings.rule import MOST_LISTED, Floor, Rule, rate

#: Lines from which the mean length is estimated where they are not counted.
_LINES = 20_000


@dataclasses.dataclass(frozen=True)
class PairLines(Rule, abc.ABC):
    """Lines that follow from two numbers of 0 to `largest`, each as likely.

    The base is abstract, so it is no member of the family. A member has a field `largest`, and defines
    `line`, `check` and `explanation`.
    """

    #: Different symbols of a line: the digits and a comma.
    num_symbols: ClassVar[int] = 11

    @abc.abstractmethod
    def line(self, first: int, second: int) -> str:
        """The line that begins with two numbers."""

    def sample(self, rng: random.Random) -> str:
        return self.line(rng.randint(0, self.largest), rng.randint(0, self.largest))

    def size(self) -> int:
        return (self.largest + 1) ** 2

    def every(self) -> Iterable[str] | None:
        if self.size() > MOST_LISTED:
            return None
        return (self.line(*pair) for pair in itertools.product(range(self.largest + 1), repeat=2))

    def count_lengths(self) -> Mapping[int, int] | None:
        """How many lines have each number of symbols; None where they are too many to count."""
        lines = self.every()
        return None if lines is None else collections.Counter(map(len, lines))

    def chance(self) -> float | None:
        """Of random symbols, as many as a line has; None where the lengths of lines are not counted."""
        counts = self.count_lengths()
        if counts is None:
            return None
        size = self.size()
        return math.fsum(n / size * (n / self.num_symbols**length) for length, n in counts.items())

    def floor(self) -> Floor:
        """With many pairs of first numbers the mean length is estimated."""
        counts = self.count_lengths()
        if counts is None:
            mean = self._estimated_length
        else:
            mean = sum(length * n for length, n in counts.items()) / self.size()
        return Floor(rate(2 * math.log(self.largest + 1), mean), exact=counts is not None)

    @functools.cached_property
    def _estimated_length(self) -> float:
        rng = random.Random(0)
        return statistics.fmean(len(self.sample(rng)) for _ in range(_LINES))
