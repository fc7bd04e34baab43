"""What tasks on the pieces of a text have in common: a file, and a length above which a piece is left out."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Annotated, ClassVar

from jaxgpt.task import Example, Task
from tasks.corpus.places import place_in


@dataclasses.dataclass(frozen=True)
class TextPieces(Task):
    """A task whose examples are made of the pieces of a file of text, such as its sentences.

    A subclass defines `lengths`, and leaves out what `too_long` tells.

    Raises:
      ValueError: if `max_characters` is below 0.
    """

    path: Annotated[str, "file of text, UTF-8"] = ""
    max_characters: Annotated[int, "pieces of more are left out; 0: none are"] = 0

    endless: ClassVar[bool] = False
    file_fields = ("path", "hold_out")
    #: What the pieces are called.
    unit: ClassVar[str] = "pieces"

    def __post_init__(self):
        if self.max_characters < 0:
            raise ValueError(f"max_characters={self.max_characters} must be at least 1, or 0")

    def lengths(self) -> Sequence[int]:
        """The characters of each piece of the file."""
        raise NotImplementedError(f"{type(self).__name__} defines no lengths")

    def too_long(self, characters: int) -> bool:
        """Whether a piece of so many characters is left out."""
        return characters > (self.max_characters or math.inf)

    def notes(self) -> str:
        """How many pieces are left out."""
        if not self.path or not self.max_characters:
            return ""
        found = self.lengths()
        left = f"{sum(map(self.too_long, found)):,} of {len(found):,} {self.unit}"
        return f"left out    {left}, of more than {self.max_characters} characters"

    def place_of(self, example: Example) -> str:
        return place_in(self.path, example.canonical)
