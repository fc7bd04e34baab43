"""Keys with values, and then the values of some keys: associative recall.

    a4c1b7a4|bcb>717

The values of b, c and b are 7, 1 and 7. Several keys are asked for in the multi-query associative recall of
Arora et al. 2023 (arXiv 2312.04927; code: https://github.com/HazyResearch/zoology). Pairs come again, with
noise among them or not, in the in-context recall of MAD (Poli et al. 2024, arXiv 2403.17844; code:
https://github.com/athms/mad-lab).
"""

import dataclasses
import random
from typing import Annotated

from tasks.strings.asking import Asking, Shortest, check_without
from tasks.strings.rule import check_alphabet

_ASKED = "|"


@dataclasses.dataclass(frozen=True)
class Recall(Asking):
    """Random pairs of a key and a value, then keys whose values are asked for; a key has one value.

    Each pair's place holds noise with probability `noise`, but not all of them do. As in MAD there are 8
    keys, 8 values and 16 symbols of noise. A question that would have an odd number of symbols for its pairs
    has one fewer.

    Deviations: the answers follow all keys, where in both papers each follows its key; keys to be asked for
    are drawn with replacement, where Arora et al. ask for each of their pairs once.
    """

    asked: Annotated[int, "keys asked for"] = 3
    noise: Annotated[float, "probability that two symbols of noise stand in a pair's place"] = 0.0
    shortest: Shortest = 6
    alphabet: Annotated[str, "keys, then as many values"] = "abcdefgh01234567"
    noises: Annotated[str, "the symbols of noise"] = "ijklmnopqrstuvwx"

    def __post_init__(self):
        super().__post_init__()
        check_alphabet(self.alphabet)
        check_without(self.alphabet, self.noises + _ASKED + self.separator)
        if len(self.alphabet) % 2:
            raise ValueError(f"rule.alphabet={self.alphabet!r}: give as many values as keys")
        if self.asked < 1 or self.shortest < 3 + self.asked:
            raise ValueError(
                f"rule.asked={self.asked} and rule.shortest={self.shortest}: ask for one key or more, and "
                f"leave 3 symbols for a pair and the {_ASKED}"
            )
        if not 0 <= self.noise < 1 or (self.noise and not self.noises):
            raise ValueError(
                f"rule.noise={self.noise} must be at least 0 and below 1; above 0 it needs rule.noises"
            )
        if {_ASKED, self.separator} & set(self.noises):
            raise ValueError(f"rule.noises={self.noises!r} must have neither {_ASKED} nor {self.separator}")

    def fitting(self, length: int) -> int:
        return length - (length - 1 - self.asked) % 2

    def question(self, rng: random.Random, length: int) -> str:
        pairs = (length - 1 - self.asked) // 2
        values = {key: rng.choice(self._values) for key in self._keys}
        never, written, seen = rng.randrange(pairs), [], []
        for place in range(pairs):
            if place != never and rng.random() < self.noise:
                written += rng.choices(self.noises, k=2)
            else:
                seen.append(rng.choice(self._keys))
                written += [seen[-1], values[seen[-1]]]
        asked = rng.choices(sorted(set(seen)), k=self.asked)
        return "".join([*written, _ASKED, *asked])

    def answer(self, question: str) -> str | None:
        pairs, mark, asked = question.partition(_ASKED)
        if not mark or len(asked) != self.asked or len(pairs) % 2:
            return None
        found: dict[str, str] = {}
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if key in self._keys and value in self._values:
                if found.setdefault(key, value) != value:
                    return None
            elif not (self.noise and key in self.noises and value in self.noises):
                return None
        return "".join(found[key] for key in asked) if set(asked) <= set(found) else None

    def explanation(self) -> str:
        return "pairs of keys and values, and the values of keys that are asked for"

    def guess(self, length: int) -> float:
        return len(self._values) ** -self.asked

    @property
    def _keys(self) -> str:
        return self.alphabet[: len(self.alphabet) // 2]

    @property
    def _values(self) -> str:
        return self.alphabet[len(self.alphabet) // 2 :]
