"""What a rule on strings is: a family, one file a member in `tasks/strings/rules`, or a class of your own."""

import dataclasses
import itertools
import math
import random
from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple, Self

from jaxgpt.core.choice import Choice


class Floor(NamedTuple):
    """The loss that no model can be below, in nats a predicted token, ends of strings among them.

    Attributes:
      loss: entropy of a string over the mean number of its tokens and its end.
      without: the same of strings that have all but the rule; None where that means nothing.
      exact: whether it is computed, not estimated from drawn strings.
    """

    loss: float
    without: float | None = None
    exact: bool = True


@dataclasses.dataclass(frozen=True)
class Rule(Choice, package="tasks.strings.rules"):
    """A law that strings keep, which a model is never told: a frozen dataclass whose fields are its settings.

    A member defines `sample`, `check` and `explanation`. `check` gives the reason why a string breaks the
    law, one of `reasons`.
    """

    #: What `check` can say, in the order in which tables show it.
    reasons: ClassVar[tuple[str, ...]] = ()

    #: Whether the beginning of a string is a question, which `given` cuts off, and the rest its answer.
    asks: ClassVar[bool] = False

    def sample(self, rng: random.Random) -> str:
        """A string that keeps the rule, drawn with `rng`."""
        raise NotImplementedError(f"{type(self).__name__} does not define sample")

    def to_look_at(self, rng: random.Random) -> str:
        """A string for the mean of attention over many: `sample`, unless one place should be alike in all."""
        return self.sample(rng)

    def check(self, text: str) -> str | None:
        """None if the string keeps the rule, else why it does not: one of `reasons`."""
        raise NotImplementedError(f"{type(self).__name__} does not define check")

    def explanation(self) -> str:
        """The rule in a sentence without a full stop."""
        raise NotImplementedError(f"{type(self).__name__} does not define explanation")

    def given(self, text: str) -> int:
        """How many characters of a string its question has, where the rule `asks`."""
        return 0

    def parts(self, text: str) -> Mapping[str, bool]:
        """Which parts of a string are right, by name; the same names for every text, whatever it holds."""
        return {}

    def chance(self) -> float | None:
        """The share that keeps the rule of strings of random symbols, independent, as many as a string has.

        Of a rule that asks: of right answers among random ones of the right length. None where it is not
        known.
        """
        return None

    def floor(self) -> Floor | None:
        """The smallest loss that there can be; None where it is not known."""
        return None

    def size(self) -> int | None:
        """How many different strings keep the rule; None where that is not known."""
        return None

    def every(self) -> Iterable[str] | None:
        """All strings that keep the rule; None where they are many."""
        return None

    def board(self) -> tuple[int, int] | None:
        """Rows and columns, where a string is a board written row after row; None where it is none."""
        return None

    def first_place(self) -> int:
        """The number of a string's first place, as the rule counts."""
        return 0

    def fitting(self, length: int) -> int:
        """The symbols of a question of `length`: one fewer where no question has that many."""
        return length

    def of_length(self, length: int) -> Self:
        """The same rule for strings, or questions, of one length.

        Raises:
          ValueError: if its strings have no length that can be set.
        """
        names = {field.name for field in dataclasses.fields(self)}
        if not {"shortest", "longest"} <= names:
            raise ValueError(
                f"rule={type(self).kind()} has no shortest and longest; leave task.extra_lengths empty"
            )
        return dataclasses.replace(self, shortest=length, longest=length)


def check_lengths(shortest: int, longest: int) -> None:
    """Raises ValueError unless 1 <= shortest <= longest."""
    if not 1 <= shortest <= longest:
        raise ValueError(
            f"rule.shortest={shortest} and rule.longest={longest}: give 1 <= shortest <= longest"
        )


def check_alphabet(alphabet: str) -> None:
    """Raises ValueError for symbols that occur twice, and for fewer than two of them."""
    if len(set(alphabet)) < max(len(alphabet), 2):
        raise ValueError(f"rule.alphabet={alphabet!r} must have at least two symbols, each once, such as 01")


#: Strings up to which a rule lists all of them.
MOST_LISTED = 2**16


def all_written(alphabet: str, lengths: Iterable[int]) -> Iterable[str] | None:
    """Every string of these lengths; None if they are more than `MOST_LISTED`."""
    lengths, count = list(lengths), 0
    for length in lengths:
        count += len(alphabet) ** length
        if count > MOST_LISTED:
            return None
    return ("".join(found) for n in lengths for found in itertools.product(alphabet, repeat=n))


def other_form(text: str, shortest: int, longest: int, symbols: str) -> str | None:
    """Why a text has not the form of a rule's strings: their lengths, their symbols; None if it has."""
    if len(text) < shortest:
        return "too short"
    if len(text) > longest:
        return "too long"
    return None if set(text) <= set(symbols) else "other symbols"


def rate(nats: float, tokens: float) -> float:
    """The loss of strings with so much entropy and so many tokens in the mean, with an end for each."""
    return nats / (tokens + 1)


def per_length(shortest: int, longest: int) -> tuple[range, float, float]:
    """The lengths, each as likely; their mean, and the entropy of which it is, in nats."""
    lengths = range(shortest, longest + 1)
    return lengths, (shortest + longest) / 2, math.log(len(lengths))
