"""What rules that ask have in common: a question, a separator, and the one answer that follows from it.

    1010100>1

The bases are abstract, so they are no members of the family: `Asking`, and `AskingOfWord` for a question that
is any word over an alphabet.

Most members are tasks of Delétang et al. 2023 (arXiv 2207.02098), with the lengths and symbols
of https://github.com/google-deepmind/neural_networks_chomsky_hierarchy, where a question and its answer are
two rows of numbers. Deviations of all: both are one text of characters; an answer ends with its text, not
with padding; and an answer is right only as a whole, where the paper counts single symbols.
"""

import abc
import dataclasses
import functools
import math
import random
from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar

from tasks.strings.rule import Floor, Rule, check_alphabet, check_lengths

#: The type of a member's own `shortest`.
Shortest = Annotated[int, "symbols of the shortest question"]


@dataclasses.dataclass(frozen=True)
class Asking(Rule, abc.ABC):
    """Questions whose lengths are equally likely, each followed by `separator` and by its answer.

    A member defines `question`, `answer` and `explanation`; `count` and `guess` where they are known.
    """

    shortest: Shortest = 1
    longest: Annotated[int, "symbols of the longest question"] = 40

    reasons = ("no such question", "wrong length of the answer", "wrong answer")
    asks = True

    #: Stands between question and answer, and in no question.
    separator: ClassVar[str] = ">"

    #: Symbols that a question needs.
    least: ClassVar[int] = 1

    def __post_init__(self):
        check_lengths(self.shortest, self.longest)
        if self.shortest < self.least:
            raise ValueError(
                f"rule.shortest={self.shortest}: a question of rule={type(self).kind()} has at least "
                f"{self.least} symbols"
            )

    @abc.abstractmethod
    def question(self, rng: random.Random, length: int) -> str:
        """A question of `fitting(length)` symbols, drawn with `rng`."""

    @abc.abstractmethod
    def answer(self, question: str) -> str | None:
        """The answer to a question of a fitting length; None if it is no question of this rule."""

    def count(self, length: int) -> int | None:
        """How many different questions of a fitting length there are; None where that is not known."""
        return None

    def guess(self, length: int) -> float | None:
        """The share of right ones among answers of the right length; None where that is not known."""
        return None

    def sample(self, rng: random.Random) -> str:
        question = self.question(rng, rng.randint(self.shortest, self.longest))
        return f"{question}{self.separator}{self.answer(question)}"

    def check(self, text: str) -> str | None:
        question, separator, found = text.partition(self.separator)
        known = separator and len(question) in self._lengths
        right = self.answer(question) if known else None
        if right is None:
            return "no such question"
        if len(found) != len(right):
            return "wrong length of the answer"
        return None if found == right else "wrong answer"

    def given(self, text: str) -> int:
        return text.find(self.separator) + 1

    def chance(self) -> float | None:
        shares = {length: self.guess(length) for length in self._lengths}
        if None in shares.values():
            return None
        return math.fsum(share * shares[length] for length, share in self._lengths.items())

    def floor(self) -> Floor:
        """0: nothing of an answer is random. The question is given, and no loss is taken of it."""
        return Floor(0.0)

    def size(self) -> int | None:
        counts = [self.count(length) for length in self._lengths]
        return None if None in counts else sum(counts)

    @functools.cached_property
    def _lengths(self) -> Mapping[int, float]:
        """The lengths of questions, and how likely each is."""
        shares: dict[int, float] = {}
        drawn = range(self.shortest, self.longest + 1)
        for length in map(self.fitting, drawn):
            shares[length] = shares.get(length, 0) + 1 / len(drawn)
        return shares


@dataclasses.dataclass(frozen=True)
class AskingOfWord(Asking):
    """Questions that are random words over an alphabet, each word as likely."""

    alphabet: Annotated[str, "the symbols"] = "01"

    def __post_init__(self):
        super().__post_init__()
        check_alphabet(self.alphabet)
        check_without(self.alphabet, self.separator)

    @abc.abstractmethod
    def of_word(self, word: str) -> str:
        """The answer to a word."""

    def question(self, rng: random.Random, length: int) -> str:
        return "".join(rng.choices(self.alphabet, k=length))

    def answer(self, question: str) -> str | None:
        return self.of_word(question) if set(question) <= set(self.alphabet) else None

    def count(self, length: int) -> int | None:
        return len(self.alphabet) ** length


def check_without(alphabet: str, taken: str) -> None:
    """Raises ValueError if the alphabet has a symbol that stands for something else."""
    if both := sorted(set(alphabet) & set(taken)):
        raise ValueError(
            f"rule.alphabet={alphabet!r} has {' '.join(both)}, which stands for something else in the strings"
        )


def check_modulus(modulus: int) -> None:
    """Raises ValueError unless residues are at least two digits."""
    if not 2 <= modulus <= 10:
        raise ValueError(f"rule.modulus={modulus}: give 2 to 10, so that each residue is one digit")


def places(word: Iterable[str], symbols: str) -> list[int]:
    """The indices at which a word has one of the symbols."""
    return [index for index, symbol in enumerate(word) if symbol in symbols]
