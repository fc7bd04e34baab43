"""Random strings in which an exact number of places is marked, or none is.

Marked(count=1, shortest=10, longest=15)
Marked(count=2, share=0.5, shortest=30, longest=40)
"""

import dataclasses
import math
import random
from collections.abc import Iterable
from typing import Annotated

from tasks.strings.rule import (
    Floor,
    Rule,
    all_written,
    check_alphabet,
    check_lengths,
    other_form,
    per_length,
    rate,
)


@dataclasses.dataclass(frozen=True)
class Marked(Rule):
    """`count` symbols at different places, all as likely, are changed to the mark; in the others none is."""

    count: Annotated[int, "marks of a string that has any"] = 1
    share: Annotated[float, "share of the strings that have marks"] = 1.0
    mark: Annotated[str, "what marks a place"] = "2"
    shortest: Annotated[int, "symbols of the shortest string"] = 10
    longest: Annotated[int, "symbols of the longest string"] = 15
    alphabet: Annotated[str, "the other symbols"] = "01"

    reasons = ("too short", "too long", "other symbols", "no mark", "too few marks", "too many marks")

    def __post_init__(self):
        check_lengths(self.shortest, self.longest)
        check_alphabet(self.alphabet)
        if len(self.mark) != 1 or self.mark in self.alphabet:
            raise ValueError(f"rule.mark={self.mark!r} must be one symbol that is not in {self.alphabet!r}")
        if not 1 <= self.count <= self.shortest:
            raise ValueError(
                f"rule.count={self.count} marks need at least one place each, and the shortest string has "
                f"{self.shortest}; give 1 to {self.shortest}, or raise rule.shortest"
            )
        if not 0 < self.share <= 1:
            raise ValueError(f"rule.share={self.share} must be above 0 and at most 1")

    def sample(self, rng: random.Random) -> str:
        length = rng.randint(self.shortest, self.longest)
        symbols = rng.choices(self.alphabet, k=length)
        if rng.random() < self.share:
            for place in rng.sample(range(length), self.count):
                symbols[place] = self.mark
        return "".join(symbols)

    def to_look_at(self, rng: random.Random) -> str:
        """Of the middle length, with marks at places that are the same in all such strings."""
        length = (self.shortest + self.longest) // 2
        symbols = rng.choices(self.alphabet, k=length)
        for index in range(1, self.count + 1):
            symbols[index * length // (self.count + 1)] = self.mark
        return "".join(symbols)

    def check(self, text: str) -> str | None:
        if form := other_form(text, self.shortest, self.longest, self.alphabet + self.mark):
            return form
        found = text.count(self.mark)
        if found == self.count or (found == 0 and self.share < 1):
            return None
        if found == 0:
            return "no mark"
        return "too few marks" if found < self.count else "too many marks"

    def explanation(self) -> str:
        none = "" if self.share == 1 else "none or "
        verb = "is" if self.count == 1 else "are"
        return f"{none}exactly {self.count} of the symbols {verb} {self.mark}"

    def chance(self) -> float:
        """Of random symbols, the mark among them."""
        lengths, _, _ = per_length(self.shortest, self.longest)
        symbols = len(self.alphabet) + 1
        return math.fsum(self._of_length(n) / symbols**n for n in lengths) / len(lengths)

    def floor(self) -> Floor:
        lengths, mean, which = per_length(self.shortest, self.longest)
        places = math.fsum(math.log(math.comb(n, self.count)) for n in lengths) / len(lengths)
        whether = -sum(p * math.log(p) for p in (self.share, 1 - self.share) if p)
        others = (mean - self.share * self.count) * math.log(len(self.alphabet))
        return Floor(rate(which + whether + self.share * places + others, mean))

    def size(self) -> int:
        lengths, _, _ = per_length(self.shortest, self.longest)
        return sum(map(self._of_length, lengths))

    def every(self) -> Iterable[str] | None:
        texts = all_written(self.alphabet + self.mark, range(self.shortest, self.longest + 1))
        return None if texts is None else (text for text in texts if self.check(text) is None)

    def _of_length(self, length: int) -> int:
        """How many strings of one length there are."""
        symbols = len(self.alphabet)
        marked = math.comb(length, self.count) * symbols ** (length - self.count)
        return marked + (symbols**length if self.share < 1 else 0)
