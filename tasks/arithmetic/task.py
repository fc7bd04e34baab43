"""The arithmetic task: what is asked, how it is split, how it is scored."""

import dataclasses
import functools
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal

from jaxgpt.task import Diagnosis, Example, Split, Task
from jaxgpt.task.probed import Probed
from jaxgpt.task.searching import Search
from tasks.arithmetic.choices import FORMATS, check
from tasks.arithmetic.diagnosis import WRONG_KINDS, diagnose
from tasks.arithmetic.formats import Format
from tasks.arithmetic.laws import LAWS
from tasks.arithmetic.notation import SYMBOLS, Question, read_question
from tasks.numbers import of_digits

#: Up to so many distinct questions, `questions` lists them all; two-digit pairs are 10,000.
_ENUMERABLE = 10_000


@dataclasses.dataclass(frozen=True)
class Arithmetic(Task):
    """Addition, subtraction, multiplication and decomposition of natural numbers.

    Operands are drawn by `law`: by default the length of each on its own, uniformly, then the number,
    uniformly among those of that length (0 has one digit). Questions with the same operands in another
    order, such as a-b and b-a, are always in the same split.
    """

    operation: Annotated[
        Literal["addition", "subtraction", "multiplication"], "what is asked; decompositions ignore it"
    ] = "addition"
    format: Annotated[
        Literal[
            "plain",
            "reversed",
            "padded",
            "ones_first",
            "indexed",
            "steps",
            "scratchpad",
            "scratchpad_simple",
            "partial",
            "decomposition",
            "decomposition_spaced",
        ],
        "how it is written",
    ] = "reversed"
    operands: Annotated[int, "numbers in a question; more than 2 for addition alone"] = 2
    law: Annotated[
        Literal["digits", "uniform", "log_uniform", "balanced_carries"], "how the operands are drawn"
    ] = "digits"
    min_digits: Annotated[int, "shortest operand"] = 1
    max_digits: Annotated[int, "longest operand"] = 10
    extra_digits: Annotated[tuple[int, ...], "longer operands asked in tests and never trained on"] = ()
    validation_digits: Annotated[
        tuple[int, ...], "longer operands that rank checkpoints in training, not among extra_digits"
    ] = ()
    min_difference: Annotated[
        int, "ask only where the longest operand has so many digits more than the shortest; trains the same"
    ] = 0

    wrong_kinds = WRONG_KINDS

    def __post_init__(self):
        check(self)

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        if not self._symbol:
            return ("65", "49")
        if self._arity == 2 and self.min_digits == 1 and self.max_digits >= 5:
            # the document's own, its failing sum first
            return tuple(self._symbol.join(pair) for pair in (("9", "71421"), ("67677", "92471")))
        others = [self.max_digits] * (self._arity - 1)
        return tuple(
            self._symbol.join("2718281828459045"[:n].ljust(n, "9") for n in (first, *others))
            for first in (self.min_digits, self.max_digits)
        )

    def example(self, rng: random.Random) -> Example:
        return self._example(LAWS[self.law](rng, self._arity, self.min_digits, self.max_digits))

    def forms(self) -> Iterable[str] | None:
        return map(self._key, self._operands()) if self._enumerable else None

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Where there are few questions, every one of the split once, shuffled; else the examples.

        Those whose lengths differ by less than `min_difference` are left out.
        """
        if self._enumerable:
            found = list(self._all(split))
            random.Random(seed).shuffle(found)
        else:
            found = self.examples(split, seed)
        way_out = f"lower task.min_difference={self.min_difference}"
        search = Search(f"{split} questions of lengths so far apart", way_out)
        return search.those(found, lambda example: self._difference(example) >= self.min_difference)

    def extra_questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Questions with operands of exactly `extra_digits` digits, the lengths in turn, endless.

        Empty without `extra_digits`. Training never sees one: its operands are shorter.
        """
        return self._of_lengths(self.extra_digits, split, seed)

    def selection_questions(self, seed: int = 0) -> Iterator[Example] | None:
        """Those with operands of exactly `validation_digits` digits, from the validation split."""
        return (
            self._of_lengths(self.validation_digits, "validation", seed) if self.validation_digits else None
        )

    def probed(self, seed: int = 0) -> Probed | None:
        """Sums of numbers of one length, with their carries and the digits of their results.

        The length is five digits, or the nearest to it that is trained on.
        """
        from tasks.arithmetic import probing

        if self.operation != "addition" or not self._format.symbols:
            return None
        return probing.probed(self, max(self.min_digits, min(self.max_digits, 5)), 1000, seed=seed)

    def score(self, example: Example, completion: str) -> dict[str, float]:
        return self._format.score(example.target, completion)

    def diagnose(self, example: Example, completion: str) -> Diagnosis | None:
        """Right digits, carries and the kind of error; None for decompositions, which have no result."""
        if not self._symbol:
            return None
        right = self.score(example, completion)["exact_match"] == 1
        try:
            answer = self._format.written(example.target if right else completion)
        except ValueError:
            answer = ""
        operands = tuple(map(int, example.key.split(self._symbol)))
        return diagnose(
            Question(self._symbol, operands), self._format.written(example.target), answer, right=right
        )

    def headings(self, example: Example) -> tuple[str, ...]:
        """How far the lengths of the operands lie apart: groups read from the left fail where they do."""
        if self._arity == 1:
            return ()
        apart = self._difference(example)
        return ("equal lengths" if not apart else f"lengths differ by {'3+' if apart > 2 else '1-2'}",)

    def summary(self, samples: list[tuple[Example, str]], training: Sequence[Example]) -> dict[str, float]:
        return self._format.summary([self.score(example, completion) for example, completion in samples])

    def summary_limit(self, name: str) -> float:
        return 1.0  # those of formats are shares

    def typed(self, text: str) -> Example:
        return self._example(read_question(text, self._symbol, self._arity).operands)

    def answer(self, prompt: str, completion: str) -> str:
        try:
            return self._format.show(completion)
        except ValueError:
            return completion

    @functools.cached_property
    def _format(self) -> Format:
        return FORMATS[self.format]

    @functools.cached_property
    def _symbol(self) -> str:
        return SYMBOLS[self.operation] if self._format.symbols else ""

    @functools.cached_property
    def _arity(self) -> int:
        return self.operands if self._symbol else 1

    @functools.cached_property
    def _width(self) -> int:
        """Digits of the largest length, to which the lengths in groups are padded so that they sort."""
        return len(str(max(self.max_digits, *self.extra_digits, *self.validation_digits, 0)))

    @property
    def _enumerable(self) -> bool:
        return 10 ** (self.max_digits * self._arity) <= _ENUMERABLE

    def _example(self, operands: tuple[int, ...]) -> Example:
        prompt, target = self._format.render(Question(self._symbol, operands))
        return Example(prompt, target, self._group(operands), self._key(operands))

    def _group(self, operands: tuple[int, ...]) -> str:
        """Every operand's length, `01+05 digits`; of three and more the longest, `longest 05 digits`."""
        lengths = [str(len(str(operand))).zfill(self._width) for operand in operands]
        return (f"longest {max(lengths)}" if len(lengths) > 2 else self._symbol.join(lengths)) + " digits"

    def _key(self, operands: tuple[int, ...]) -> str:
        return self._symbol.join(map(str, sorted(operands)))

    def _difference(self, example: Example) -> int:
        """By how many digits the longest operand is longer than the shortest."""
        operands = example.key.split(self._symbol) if self._symbol else [example.key]
        return len(operands[-1]) - len(operands[0])  # a key is sorted

    def _of_lengths(self, lengths: tuple[int, ...], split: Split, seed: int) -> Iterator[Example]:
        """Questions of a split whose operands all have so many digits, the lengths in turn, endless.

        Question i of a length depends on (seed, split, length, i) alone, not on the other lengths.
        """
        lengths_asked = ", ".join(map(str, lengths))
        search = Search(
            f"{split} questions of {lengths_asked} digits",
            f"change task.held_out={self.held_out}, or the lengths",
        )
        for index in itertools.count() if lengths else ():
            for digits in lengths:
                rng = random.Random(f"{seed} {split} {digits} {index}")
                while True:
                    operands = tuple(of_digits(rng, digits) for _ in range(self._arity))
                    # The key decides alone: what falls in another split is not worth writing out.
                    if self.split_of(Example("", "", key=self._key(operands))) == split:
                        break
                    search.missed()
                search.found()
                yield self._example(operands)

    def _operands(self) -> Iterator[tuple[int, ...]]:
        smallest = 0 if self.min_digits == 1 else 10 ** (self.min_digits - 1)
        return itertools.product(range(smallest, 10**self.max_digits), repeat=self._arity)

    def _all(self, split: Split) -> Iterator[Example]:
        for operands in self._operands():
            example = self._example(operands)
            if self.split_of(example) == split:
                yield example
