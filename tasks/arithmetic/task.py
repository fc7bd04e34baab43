"""The arithmetic task: what is asked, how it is split, how it is scored."""

import dataclasses
import functools
import itertools
import random
from collections.abc import Iterator
from typing import Annotated, Literal

from jaxgpt.task import Example, Split, Task
from tasks.arithmetic.formats import Decomposition, Format, Plain, Reversed
from tasks.arithmetic.notation import SYMBOLS, Question, read_question
from tasks.arithmetic.steps import Steps

_FORMATS: dict[str, Format] = {
    "plain": Plain(),
    "reversed": Reversed(),
    "steps": Steps(),
    "decomposition": Decomposition(""),
    "decomposition_spaced": Decomposition(" "),
}
#: Up to so many distinct questions, `questions` lists them all; two-digit pairs are 10,000.
_ENUMERABLE = 10_000


@dataclasses.dataclass(frozen=True)
class Arithmetic(Task):
    """Addition, subtraction, multiplication and decomposition of natural numbers.

    The length of each operand is drawn on its own, uniformly; then the number, uniformly among those of
    that length (0 has one digit). a+b and b+a, or a-b and b-a, are always in the same split.
    """

    operation: Annotated[
        Literal["addition", "subtraction", "multiplication"], "what is asked; decompositions ignore it"
    ] = "addition"
    format: Annotated[
        Literal["plain", "reversed", "steps", "decomposition", "decomposition_spaced"],
        "how it is written",
    ] = "reversed"
    min_digits: Annotated[int, "shortest operand"] = 1
    max_digits: Annotated[int, "longest operand"] = 10
    extra_digits: Annotated[tuple[int, ...], "longer operands asked in tests and never trained on"] = ()

    def __post_init__(self):
        if not 1 <= self.min_digits <= self.max_digits:
            raise ValueError(
                f"min_digits={self.min_digits} must be at least 1 and at most max_digits={self.max_digits}"
            )
        if self.operation != "addition" and self.format not in ("plain", "reversed"):
            raise ValueError(
                f"format={self.format} does not go with operation={self.operation}; "
                "use operation=addition or format=plain or reversed"
            )
        for digits in self.extra_digits:
            if digits <= self.max_digits:
                raise ValueError(
                    f"extra_digits={digits} must be above max_digits={self.max_digits}, which is trained on"
                )

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        if not self._symbol:
            return ("65", "49")
        if self.min_digits == 1 and self.max_digits >= 5:  # the document's own, its failing sum first
            return tuple(self._symbol.join(pair) for pair in (("9", "71421"), ("67677", "92471")))
        lengths = ((self.min_digits, self.max_digits), (self.max_digits, self.max_digits))
        return tuple(
            self._symbol.join("2718281828459045"[:n].ljust(n, "9") for n in pair) for pair in lengths
        )

    def example(self, rng: random.Random) -> Example:
        return self._example(tuple(_number(rng, self._length(rng)) for _ in range(self._arity)))

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The examples of one split, endless; questions repeat where there are few.

        Raises:
          ValueError: if the split is empty, because `held_out` leaves it nothing.
        """
        share = 1 - 2 * self.held_out if split == "train" else self.held_out
        if not 0 < share <= 1 or (self._enumerable and next(self._all(split), None) is None):
            raise ValueError(
                f"held_out={self.held_out} leaves no {split} questions of {self.min_digits} to "
                f"{self.max_digits} digits; change held_out or raise max_digits"
            )
        return super().examples(split, seed)

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Where there are few questions, every one of the split once, shuffled; else the examples."""
        if not self._enumerable:
            return self.examples(split, seed)
        listed = list(self._all(split))
        random.Random(seed).shuffle(listed)
        return iter(listed)

    def extra_questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Questions with operands of exactly `extra_digits` digits, the lengths in turn, endless.

        Empty without `extra_digits`. Training never sees one: its operands are shorter.
        """
        for index in itertools.count():
            for digits in self.extra_digits:
                rng = random.Random(f"{seed} {split} {digits} {index}")
                example = self._example(tuple(_number(rng, digits) for _ in range(self._arity)))
                while self.split_of(example) != split:
                    example = self._example(tuple(_number(rng, digits) for _ in range(self._arity)))
                yield example
            if not self.extra_digits:
                return

    def score(self, example: Example, completion: str) -> dict[str, float]:
        return self._format.score(example.target, completion)

    def headings(self, example: Example) -> tuple[str, ...]:
        """How far the lengths of two operands lie apart: groups read from the left fail where they do."""
        if self._arity != 2:
            return ()
        lengths = example.group.removesuffix(" digits").split(self._symbol)
        apart = abs(int(lengths[0]) - int(lengths[1]))
        return ("equal lengths" if not apart else f"lengths differ by {'3+' if apart > 2 else '1-2'}",)

    def summary(self, samples: list[tuple[Example, str]], training: list[Example]) -> dict[str, float]:
        return self._format.summary([self.score(example, completion) for example, completion in samples])

    def prompt(self, text: str) -> str:
        return self._format.render(read_question(text, self._symbol))[0]

    def answer(self, prompt: str, completion: str) -> str:
        try:
            return self._format.show(completion)
        except ValueError:
            return completion

    @functools.cached_property
    def _format(self) -> Format:
        return _FORMATS[self.format]

    @functools.cached_property
    def _symbol(self) -> str:
        return "" if self.format.startswith("decomposition") else SYMBOLS[self.operation]

    @functools.cached_property
    def _arity(self) -> int:
        return 2 if self._symbol else 1

    @functools.cached_property
    def _width(self) -> int:
        """Digits of the largest length, to which the lengths in groups are padded so that they sort."""
        return len(str(max(self.max_digits, *self.extra_digits, 0)))

    @property
    def _enumerable(self) -> bool:
        return 10 ** (self.max_digits * self._arity) <= _ENUMERABLE

    def _length(self, rng: random.Random) -> int:
        return rng.randrange(self.min_digits, self.max_digits + 1)

    def _example(self, operands: tuple[int, ...]) -> Example:
        prompt, target = self._format.render(Question(self._symbol, operands))
        lengths = [str(len(str(operand))).zfill(self._width) for operand in operands]
        key = self._symbol.join(map(str, sorted(operands)))
        return Example(prompt, target, self._symbol.join(lengths) + " digits", key)

    def _all(self, split: Split) -> Iterator[Example]:
        smallest = 0 if self.min_digits == 1 else 10 ** (self.min_digits - 1)
        numbers = range(smallest, 10**self.max_digits)
        for operands in itertools.product(numbers, repeat=self._arity):
            example = self._example(operands)
            if self.split_of(example) == split:
                yield example


def _number(rng: random.Random, digits: int) -> int:
    """Uniform among the natural numbers of that many digits; 0 has one."""
    return rng.randrange(0 if digits == 1 else 10 ** (digits - 1), 10**digits)
