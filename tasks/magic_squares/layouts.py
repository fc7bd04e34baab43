"""How a square is written for the model and read back: one object a layout."""

import abc
import re
from typing import NamedTuple

from tasks.magic_squares.squares import LINES, Cells

_NUMBER = "(0|[1-9][0-9]{0,19})"  # canonical, and within what `is_prime` decides
_ROW = " ".join([_NUMBER] * 3)
_SECTIONS = (("rows", LINES[:3]), ("columns", LINES[3:6]), ("diagonals", LINES[6:]))


class Reading(NamedTuple):
    """What a completion says: nine cells, and for each sum that it states whether that sum is true."""

    square: Cells
    sums: tuple[bool, ...]


class Layout(abc.ABC):
    """A way of writing a question and a square, and of reading squares back."""

    #: What a person types, for the samples shown while training.
    sample_prompts: tuple[str, ...]

    @abc.abstractmethod
    def prompt(self, number: int, centre: int) -> str:
        """The prompt of the square with this number and centre."""

    @abc.abstractmethod
    def target(self, square: Cells) -> str:
        """The square as the model should write it."""

    @abc.abstractmethod
    def typed(self, text: str) -> str:
        """The prompt for what a person types.

        Raises:
          ValueError: if it cannot be read; the message shows what can.
        """

    @abc.abstractmethod
    def read(self, completion: str) -> Reading:
        """The square that a completion states.

        Raises:
          ValueError: if the completion does not have this layout.
        """

    @abc.abstractmethod
    def show(self, completion: str) -> str:
        """The completion as a person reads it.

        Raises:
          ValueError: as `read`.
        """

    def asks_centre(self, prompt: str) -> int | None:
        """The centre that a prompt asks for, where prompts do."""
        return None


class Compact(Layout):
    """`59=` -> `12 42:47 29 101/113 59 5/17 89 71=177`.

    The prompt is the centre. The answer opens with the two differences b and a from which the cells follow,
    then has the rows and the sum of every line.
    """

    sample_prompts = ("59", "103")
    _pattern = re.compile(f"{_NUMBER} {_NUMBER}:{_ROW}/{_ROW}/{_ROW}={_NUMBER}")

    def prompt(self, number: int, centre: int) -> str:
        return f"{centre}="

    def target(self, square: Cells) -> str:
        b, a = sorted((abs(square[0] - square[4]), abs(square[2] - square[4])))
        rows = "/".join(" ".join(map(str, square[i : i + 3])) for i in (0, 3, 6))
        return f"{b} {a}:{rows}={sum(square[:3])}"

    def typed(self, text: str) -> str:
        match = re.fullmatch(r"0*([0-9]+)\s*=?", text.strip())
        if match is None:
            raise ValueError(f"cannot read {text!r} as the centre of a square; write one such as 59")
        return match[1] + "="

    def read(self, completion: str) -> Reading:
        match = self._pattern.fullmatch(completion)
        if match is None:
            raise ValueError("the completion is not of the form b a:cells/cells/cells=sum")
        square = tuple(map(int, match.groups()[2:11]))
        stated = int(match[12])
        return Reading(square, (all(sum(square[i] for i in line) == stated for line in LINES),))

    def show(self, completion: str) -> str:
        self.read(completion)
        rows, total = completion.split(":")[1].split("=")
        return rows.replace("/", "\n") + f"\nsum {total}"

    def asks_centre(self, prompt: str) -> int:
        return int(prompt.removesuffix("="))


class Matrix(Layout):
    """`Matrix 1817` -> rows, then the sums of rows, columns and diagonals: the source document's text.

    Matrix 3984
    38047 34381 42073
    42193 38167 34141
    34261 41953 38287

    Sum of rows
    38047+34381+42073=114501
    ...
    Sum of diagonals
    38047+38167+38287=114501
    34261+38167+42073=114501
    ###
    """

    sample_prompts = ("Matrix 1", "Matrix 12")
    _pattern = re.compile(
        f"{_ROW}\n{_ROW}\n{_ROW}"
        + "".join(
            f"\n\nSum of {name}" + "".join(r"\n[0-9]+\+[0-9]+\+[0-9]+=[0-9]+" for _ in lines)
            for name, lines in _SECTIONS
        )
        + "\n###"
    )

    def prompt(self, number: int, centre: int) -> str:
        return f"Matrix {number}\n"

    def target(self, square: Cells) -> str:
        parts = ["\n".join("{} {} {}".format(*square[i : i + 3]) for i in (0, 3, 6))]
        for name, lines in _SECTIONS:
            sums = "\n".join(_sum_of(square, line) for line in lines)
            parts.append(f"Sum of {name}\n{sums}")
        return "\n\n".join(parts) + "\n###"

    def typed(self, text: str) -> str:
        match = re.fullmatch(r"(?:Matrix\s+)?0*([0-9]+)", text.strip(), re.IGNORECASE)
        if match is None:
            raise ValueError(f"cannot read {text!r} as a question; write one such as Matrix 3984")
        return f"Matrix {match[1]}\n"

    def read(self, completion: str) -> Reading:
        match = self._pattern.fullmatch(completion)
        if match is None:
            raise ValueError("the completion is not three rows and their sums up to ###")
        square = tuple(map(int, match.groups()))
        stated = [line for line in completion.split("\n") if "=" in line]
        true = tuple(line == _sum_of(square, cells) for line, cells in zip(stated, LINES, strict=True))
        return Reading(square, true)

    def show(self, completion: str) -> str:
        self.read(completion)
        return completion.removesuffix("\n###")


def _sum_of(square: Cells, line: tuple[int, ...]) -> str:
    """`47+29+101=177`, one line of a square and its sum."""
    entries = [square[i] for i in line]
    return f"{'+'.join(map(str, entries))}={sum(entries)}"
