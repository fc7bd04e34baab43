"""Texts whose mean attention says where each place looks."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Attended:
    """Texts of one length, for `jaxgpt.lab.place_map`.

    Attributes:
      texts: as the task writes them, all of one length.
      board: rows and columns, where a text is a board that is written row after row.
      first: number of the first place, as the task counts.
      names: of the places, where symbols are not written from the first place to the last: what the place of
        each written symbol is called; empty: numbers from `first` on.

    Raises:
      ValueError: without a text, for texts of several lengths, a board of another size, a board with
        named places, or another number of names.
    """

    texts: tuple[str, ...]
    board: tuple[int, int] | None = None
    first: int = 0
    names: tuple[str, ...] = ()

    def __post_init__(self):
        lengths = sorted({len(text) for text in self.texts})
        if len(lengths) != 1 or lengths == [0]:
            raise ValueError(f"texts of lengths {lengths}: give texts of one length, at least 1")
        if self.board is not None and self.board[0] * self.board[1] != lengths[0]:
            raise ValueError(f"board={self.board} has not {lengths[0]} cells, as many as a text has symbols")
        if self.names and self.board is not None:
            raise ValueError("names and a board: a board is written row after row; leave one of them")
        if self.names and len(self.names) != lengths[0]:
            raise ValueError(f"{len(self.names)} names of places: a text has {lengths[0]} symbols")

    @property
    def length(self) -> int:
        return len(self.texts[0])
