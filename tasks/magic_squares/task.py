"""The task of writing prime magic squares."""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np

from jaxgpt.task import Example, Split, Task
from tasks.magic_squares.layouts import Compact, Layout, Matrix, Reading
from tasks.magic_squares.measures import measure, valid
from tasks.magic_squares.squares import SYMMETRIES, Rule, cells, squares, triple

_LAYOUTS: dict[str, Layout] = {"compact": Compact(), "matrix": Matrix()}


@dataclasses.dataclass(frozen=True)
class MagicSquares(Task):
    """Every prime magic square of order three in a range, split by centre.

    A square and its mirror images and rotations have one centre and so are never separated.
    """

    format: Annotated[Literal["compact", "matrix"], "asked by centre, or the document's Matrix N"] = "compact"
    rule: Annotated[Rule, "all squares in the range, or the document's one for each centre"] = "all"
    min_entry: Annotated[int, "smallest entry allowed; 1000 with limit 10000: exactly four digits"] = 2
    limit: Annotated[int, "entries are below it"] = 10_000
    orientations: Annotated[Literal[1, 8], "ways a square is turned in training; 8: every symmetry"] = 1

    endless = False

    def __post_init__(self):
        if not 2 <= self.min_entry < self.limit:
            raise ValueError(f"min_entry={self.min_entry} must be at least 2 and below limit={self.limit}")

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        return self._layout.sample_prompts

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Every square of the split in each of its orientations, shuffled; finite.

        Raises:
          ValueError: if the split is empty.
        """
        rows = self._rows(split)
        order = np.random.Generator(np.random.PCG64(seed)).permutation(len(rows) * self.orientations)
        return (self._example(int(rows[i // self.orientations]), int(i % self.orientations)) for i in order)

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """One question for each different prompt of the split: each centre, or each matrix number."""
        asked = set()
        for example in self.examples(split, seed):
            if example.prompt not in asked:
                asked.add(example.prompt)
                yield example

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """`exact_match`: a fully valid square, of the centre asked for; it need not be the target."""
        reading = self._read(completion)
        centre = self._layout.asks_centre(example.prompt)
        return {"exact_match": float(reading is not None and valid(reading, centre))}

    def summary(self, samples: list[tuple[Example, str]], training: list[Example]) -> dict[str, float]:
        read = [(self._read(text), self._layout.asks_centre(example.prompt)) for example, text in samples]
        trained = {triple(self._layout.read(example.target).square) for example in training}
        return measure(read, trained, self._squares)

    def prompt(self, text: str) -> str:
        return self._layout.typed(text)

    def answer(self, prompt: str, completion: str) -> str:
        try:
            return self._layout.show(completion)
        except ValueError:
            return completion

    @property
    def _layout(self) -> Layout:
        return _LAYOUTS[self.format]

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
        return {centre: self.split_of(Example("", "", key=str(centre))) for centre in centres}

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

    def _example(self, row: int, orientation: int) -> Example:
        centre, a, b = self._squares[row].tolist()
        square = cells(centre, a, b)
        turned = tuple(square[i] for i in SYMMETRIES[orientation])
        prompt = self._layout.prompt(row + 1, centre)
        group = f"{len(str(centre))}-digit centre"
        return Example(prompt, self._layout.target(turned), group, str(centre))
