"""The task of writing prime magic squares."""

import dataclasses
import functools
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np

from jaxgpt.task import Example, Share, Split, Task
from jaxgpt.task.searching import Search
from tasks.magic_squares.layouts import Checked, Compact, Layout, Matrix, Reading, Way
from tasks.magic_squares.measures import canonical, measure, valid
from tasks.magic_squares.squares import SYMMETRIES, Cells, Rule, cells, squares


@dataclasses.dataclass(frozen=True)
class MagicSquares(Task):
    """Every prime magic square of order three in a range, split by centre.

    A square and its mirror images and rotations have one centre and so are never separated.
    """

    format: Annotated[
        Literal["compact", "matrix", "checked"],
        "asked by centre; the document's Matrix N; by centre, each entry marked as prime or not",
    ] = "compact"
    asked: Annotated[
        Literal["usual", "sum", "nothing", "mixed"],
        "as the format has it, by a line's sum, by an empty prompt (sampled at temperature 1), or all three",
    ] = "usual"
    rule: Annotated[Rule, "all squares in the range, or the document's one for each centre"] = "all"
    min_entry: Annotated[int, "smallest entry allowed; 1000 with limit 10000: exactly four digits"] = 2
    limit: Annotated[int, "entries are below it"] = 10_000
    orientations: Annotated[Literal[1, 8], "ways a square is turned in training; 8: every symmetry"] = 1
    control: Annotated[
        Literal["none", "shuffled"], "shuffled: trained on squares whose cells were exchanged with others'"
    ] = "none"
    drills: Annotated[
        int, "of format=checked: squares of any numbers to train on as well, their differences given"
    ] = 0
    candidates: Annotated[
        int, "squares drawn for a question, of which the one with most entries marked as prime is taken"
    ] = 1

    endless = False
    empty_shares = {
        "novel": "no square is valid",
        **dict.fromkeys(
            ("prime_entries", "distinct_entries", "equal_sums", "true_sums", "copied"),
            "no square was read",
        ),
    }

    def __post_init__(self):
        if not 2 <= self.min_entry < self.limit:
            raise ValueError(f"min_entry={self.min_entry} must be at least 2 and below limit={self.limit}")
        for name, least in (("drills", 0), ("candidates", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)} must be at least {least}")
            if getattr(self, name) > least and self.format != "checked":
                raise ValueError(
                    f"{name}={getattr(self, name)} needs format=checked, which marks entries as prime or not"
                )

    @property
    def temperature(self) -> float:
        if self.asked == "nothing":
            return 1.0
        # Low enough for digits to be right, high enough for squares to differ.
        return 0.5 if self.candidates > 1 else 0.0

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        of = {"usual": self._layout.usual_samples, "sum": self._layout.sum_samples, "nothing": ("",)}
        return tuple(text for way in self._ways for text in of[way][: 2 if len(self._ways) == 1 else 1])

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Every square of the split in each of its orientations, shuffled; finite.

        With `asked=mixed` each is there for every way of asking; `drills` come on top in training.

        Raises:
          ValueError: if the split is empty.
        """
        rows = self._rows(split)
        drills = self.drills if split == "train" else 0
        ways, orders = self._ways, self.orientations
        count = len(rows) * orders * len(ways)
        order = np.random.Generator(np.random.PCG64(seed)).permutation(count + drills)
        shuffled = self._shuffled_cells(rows) if self.control == "shuffled" and split == "train" else None
        return (
            self._drill(int(i))
            if i >= count
            else self._example(
                int(rows[i // len(ways) // orders]),
                int(i // len(ways) % orders),
                ways[i % len(ways)],
                None if shuffled is None else tuple(shuffled[i // len(ways) // orders].tolist()),
            )
            for i in order
        )

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """One question for each different prompt of the split: each centre, or each matrix number.

        With `asked=nothing` as many as there are squares: the prompts are all empty. Drills are not asked.
        """
        asked = set()
        for example in self.examples(split, seed):
            if example.group == _DRILL:
                continue
            if self.asked == "nothing" or example.prompt not in asked:
                asked.add(example.prompt)
                yield example

    def headings(self, example: Example) -> tuple[str, ...]:
        """With `asked=mixed`, a row of the table for each way of asking."""
        if self.asked != "mixed":
            return ()
        by_sum = re.match("sum", example.prompt, re.IGNORECASE)
        return ("asked by a sum" if by_sum else "asked as usual" if example.prompt else "not asked",)

    def choose(self, example: Example, completions: Sequence[str]) -> int:
        """The completion that marks most of its entries as prime, which is the model's own word for it."""
        marks = [self._checked.marks(completion) for completion in completions]
        return marks.index(max(marks))

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """`exact_match`: a fully valid square, of the centre or sum asked for; it need not be the target."""
        reading = self._read(completion)
        centre = self._layout.asks_centre(example.prompt)
        return {"exact_match": float(reading is not None and valid(reading, centre))}

    def summary(self, samples: list[tuple[Example, str]], training: Sequence[Example]) -> dict[str, Share]:
        trained = (self._read(example.target) for example in training)
        return measure(
            [(self._read(text), self._layout.asks_centre(example.prompt)) for example, text in samples],
            {canonical(reading.square) for reading in trained if reading is not None},
            squares(self.min_entry, self.limit, self.rule),
        )

    def picture(self, samples: list[tuple[Example, str]], path: Path) -> bool:
        """The first squares among the answers, with composite entries and wrong lines marked."""
        from tasks.magic_squares import picture  # and with it scipy and matplotlib

        read = [(self._read(text), self._layout.asks_centre(example.prompt)) for example, text in samples]
        return picture.draw([(r.square, centre) for r, centre in read if r is not None], path)

    def typed(self, text: str) -> Example:
        prompt, way = self._layout.typed(text)
        if way not in self._ways:
            shown = " or ".join(sample or "nothing" for sample in self.sample_prompts)
            raise ValueError(f"task.asked={self.asked}: {text!r} asks in another way; write {shown}")
        centre = self._layout.asks_centre(prompt)
        if self.hold_out and centre is None:
            raise ValueError(f"{text!r} names no centre, which alone can be kept out of training")
        return Example(prompt, "", key="" if centre is None else str(centre))

    def answer(self, prompt: str, completion: str) -> str:
        try:
            return self._layout.show(completion)
        except ValueError:
            return completion

    @property
    def _layout(self) -> Layout:
        return self._checked if self.format == "checked" else _LAYOUTS[self.format]

    @functools.cached_property
    def _checked(self) -> Checked:
        return Checked(self.limit)

    @property
    def _ways(self) -> tuple[Way, ...]:
        return get_args(Way) if self.asked == "mixed" else (self.asked,)

    @property
    def _squares(self) -> np.ndarray:
        return squares(self.min_entry, self.limit, self.rule)

    def _read(self, completion: str) -> Reading | None:
        try:
            return self._layout.read(completion)
        except ValueError:
            return None

    @functools.cached_property
    def _split_of_centre(self) -> dict[int, Split]:
        centres = np.unique(self._squares[:, 0]).tolist()
        return {centre: self._split_of(centre) for centre in centres}

    def _split_of(self, centre: int) -> Split:
        return self.split_of(Example("", "", key=str(centre)))

    def _rows(self, split: Split) -> np.ndarray:
        """The indices of a split's squares among all."""
        centres = [centre for centre, name in self._split_of_centre.items() if name == split]
        rows = np.flatnonzero(np.isin(self._squares[:, 0], centres))
        if not len(rows):
            raise ValueError(
                f"min_entry={self.min_entry}, limit={self.limit} and held_out={self.held_out} leave no "
                f"{split} squares; raise limit or change held_out"
            )
        return rows

    def _example(self, row: int, orientation: int, way: Way = "usual", other: Cells | None = None) -> Example:
        """A square of the list, turned; `other` cells stand in for its own in the control."""
        centre, a, b = self._squares[row].tolist()
        square = other or cells(centre, a, b)
        turned = tuple(square[i] for i in SYMMETRIES[orientation])
        prompt = self._layout.prompt(row + 1, centre, way)
        return Example(prompt, self._layout.target(turned), _group(centre), str(centre))

    def _shuffled_cells(self, rows: np.ndarray) -> np.ndarray:
        """Squares that have in each cell the entries of these squares, in another order. [N, 9]

        Each cell keeps its distribution, and every entry is prime; what makes a square magic is gone.
        """
        c, a, b = self._squares[rows].T
        entries = np.stack(cells(c, a, b), axis=1)
        return np.random.Generator(np.random.PCG64(0)).permuted(entries, axis=0)

    def _drill(self, number: int) -> Example:
        """Square `number` of those around any number of the training split, as `Checked.drill` has it.

        Differences of primes above 3 around a prime are multiples of 6, so these are, too.
        """
        rng = random.Random(number)
        search = Search("squares to drill on", f"raise task.limit={self.limit}, or set task.drills=0")
        while True:
            centre = 6 * rng.randrange(3, self.limit // 6) + rng.choice((1, 5))
            reach = min(centre, self.limit - centre) // 6 - 1  # of a + b, in sixes
            b, a = sorted(rng.randrange(1, max(reach, 2)) for _ in range(2))
            if a != b and a != 2 * b and a + b <= reach and self._split_of(centre) == "train":
                return Example(*self._checked.drill(cells(centre, 6 * a, 6 * b)), _DRILL, str(centre))
            search.missed()


_DRILL = "any numbers"
_LAYOUTS: dict[str, Layout] = {"compact": Compact(), "matrix": Matrix()}


@functools.cache
def _group(centre: int) -> str:
    return f"{len(str(centre))}-digit centre"
