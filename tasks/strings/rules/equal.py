"""Symbols at given places are equal: the first rules of Wagner's lecture.

Equal(pairs=("13=22",), shortest=30, longest=40, index_base=1)
Equal(pairs=("18=39", "31=44", "4=-28"), shortest=50, longest=200)
"""

import dataclasses
import functools
import math
import random
import re
from collections.abc import Iterable
from typing import Annotated, Literal

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
class Equal(Rule):
    """Random strings in which each pair of places holds one symbol; lengths are equally likely.

    A negative place is counted from the end, -1 the last, whatever `index_base` is. Pairs that share a place
    make all of theirs equal.
    """

    pairs: Annotated[tuple[str, ...], "places that hold the same symbol, such as 18=47 or 18=-20"] = (
        "13=22",
    )
    shortest: Annotated[int, "symbols of the shortest string"] = 30
    longest: Annotated[int, "symbols of the longest string"] = 40
    alphabet: Annotated[str, "the symbols"] = "01"
    index_base: Annotated[Literal[0, 1], "number of the first place"] = 0

    reasons = ("too short", "too long", "other symbols", "not equal")

    def __post_init__(self):
        check_lengths(self.shortest, self.longest)
        check_alphabet(self.alphabet)
        if not self.pairs:
            raise ValueError("rule.pairs is empty: every string would keep the rule; give one such as 13=22")
        for text in self.pairs:
            match = re.fullmatch(r"\s*(-?[0-9]{1,9})\s*=\s*(-?[0-9]{1,9})\s*", text)
            if match is None:
                raise ValueError(f"rule.pairs: {text!r} is not of the form 13=22 or 18=-20")
            for place in map(int, match.groups()):
                if place >= 0 and place < self.index_base:
                    raise ValueError(f"rule.pairs: {text!r} has place 0, and rule.index_base=1 counts from 1")
                needed = -place if place < 0 else place + 1 - self.index_base
                if needed > self.shortest:
                    raise ValueError(
                        f"rule.pairs: {text!r} needs {needed} symbols, and the shortest string has "
                        f"{self.shortest}; raise rule.shortest"
                    )
            if all(a == b for a, b in map(self._pair(text).at, range(self.shortest, self.longest + 1))):
                raise ValueError(f"rule.pairs: {text!r} is one place, which always equals itself; name two")

    def sample(self, rng: random.Random) -> str:
        length = rng.randint(self.shortest, self.longest)
        symbols = rng.choices(self.alphabet, k=length)
        for place, first in self._tied(length):
            symbols[place] = symbols[first]
        return "".join(symbols)

    def check(self, text: str) -> str | None:
        if form := other_form(text, self.shortest, self.longest, self.alphabet):
            return form
        pairs = (pair.at(len(text)) for pair in self._pairs)
        return None if all(text[first] == text[second] for first, second in pairs) else "not equal"

    def explanation(self) -> str:
        return f"equal symbols at the places {', '.join(self.pairs)}, the first of which is {self.index_base}"

    def first_place(self) -> int:
        return self.index_base

    def chance(self) -> float:
        lengths, _, _ = per_length(self.shortest, self.longest)
        return math.fsum(len(self.alphabet) ** -len(self._tied(n)) for n in lengths) / len(lengths)

    def floor(self) -> Floor:
        lengths, mean, which = per_length(self.shortest, self.longest)
        tied = sum(len(self._tied(n)) for n in lengths) / len(lengths)
        symbol = math.log(len(self.alphabet))
        return Floor(rate(which + (mean - tied) * symbol, mean), rate(which + mean * symbol, mean))

    def size(self) -> int:
        lengths, _, _ = per_length(self.shortest, self.longest)
        return sum(len(self.alphabet) ** (n - len(self._tied(n))) for n in lengths)

    def every(self) -> Iterable[str] | None:
        texts = all_written(self.alphabet, range(self.shortest, self.longest + 1))
        return None if texts is None else (text for text in texts if self.check(text) is None)

    def _pair(self, text: str) -> "_Pair":
        first, second = (int(place) for place in text.split("="))
        return _Pair(*(p if p < 0 else p - self.index_base for p in (first, second)))

    @functools.cached_property
    def _pairs(self) -> tuple["_Pair", ...]:
        return tuple(map(self._pair, self.pairs))

    def _tied(self, length: int) -> list[tuple[int, int]]:
        """Each place whose symbol follows from an earlier one, and the first of those that it equals."""
        return _tied(self._pairs, length)


@dataclasses.dataclass(frozen=True)
class _Pair:
    """Two places, from 0; below 0 from the end."""

    first: int
    second: int

    def at(self, length: int) -> tuple[int, int]:
        return self.first % length, self.second % length


@functools.lru_cache(maxsize=4096)
def _tied(pairs: tuple[_Pair, ...], length: int) -> list[tuple[int, int]]:
    first = {place: place for pair in pairs for place in pair.at(length)}

    def root(place: int) -> int:
        while first[place] != place:
            place = first[place]
        return place

    for pair in pairs:
        one, other = sorted(map(root, pair.at(length)))
        first[other] = one
    return [(place, root(place)) for place in sorted(first) if root(place) != place]
