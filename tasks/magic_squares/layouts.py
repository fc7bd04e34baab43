"""How a square is written for the model and read back: one object a layout."""

import abc
import re
from typing import Literal, NamedTuple

from tasks.magic_squares.squares import LINES, Cells, is_prime

#: How a square is asked for: by its centre or as Matrix N, by the sum of its lines, or not at all.
Way = Literal["usual", "sum", "nothing"]

_NUMBER = "(0|[1-9][0-9]{0,19})"  # canonical, and within what `is_prime` decides
_ROW = " ".join([_NUMBER] * 3)
_SECTIONS = (("rows", LINES[:3]), ("columns", LINES[3:6]), ("diagonals", LINES[6:]))


class Reading(NamedTuple):
    """What a completion says: nine cells, and for each sum that it states whether that sum is true."""

    square: Cells
    sums: tuple[bool, ...]


class Layout(abc.ABC):
    """A way of writing a question and a square, and of reading squares back."""

    #: What a person types to ask in the usual way, and by a sum; for the samples shown while training.
    usual_samples: tuple[str, ...]
    sum_samples: tuple[str, ...]
    #: What a question by a sum, `sum 177`, is turned into.
    sum_prompt: str = "sum {}="

    def prompt(self, number: int, centre: int, way: Way) -> str:
        """The prompt of the square with this number and centre."""
        if way == "usual":
            return self.usual_prompt(number, centre)
        return self.sum_prompt.format(3 * centre) if way == "sum" else ""

    @abc.abstractmethod
    def usual_prompt(self, number: int, centre: int) -> str:
        """The prompt that is made for this layout."""

    @abc.abstractmethod
    def target(self, square: Cells) -> str:
        """The square as the model should write it."""

    def typed(self, text: str) -> tuple[str, Way]:
        """The prompt for what a person types, and the way in which it asks.

        Raises:
          ValueError: if it cannot be read; the message shows what can.
        """
        match = re.fullmatch(r"sum\s+0*([0-9]+)", text.strip(), re.IGNORECASE)
        if match:
            return self.sum_prompt.format(match[1]), "sum"
        return (self.usual_typed(text), "usual") if text.strip() else ("", "nothing")

    @abc.abstractmethod
    def usual_typed(self, text: str) -> str:
        """As `typed`, of what asks in the usual way."""

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
        """The centre that a prompt asks for, where prompts do; 0 for a sum that no centre has."""
        before, after = self.sum_prompt.split("{}")
        if not prompt.startswith(before):
            return None
        centre, rest = divmod(int(prompt.removeprefix(before).removesuffix(after)), 3)
        return 0 if rest else centre


class Compact(Layout):
    """`59=` -> `12 42:47 29 101/113 59 5/17 89 71=177`.

    The prompt is the centre. The answer opens with the two differences b and a from which the cells follow,
    then has the rows and the sum of every line.
    """

    usual_samples = ("59", "103")
    sum_samples = ("sum 177", "sum 309")
    _pattern = re.compile(f"{_NUMBER} {_NUMBER}:(?P<square>{_ROW}/{_ROW}/{_ROW}={_NUMBER})")

    def usual_prompt(self, number: int, centre: int) -> str:
        return f"{centre}="

    def target(self, square: Cells) -> str:
        b, a = sorted((abs(square[0] - square[4]), abs(square[2] - square[4])))
        return f"{b} {a}:{_rows_and_sum(square)}"

    def usual_typed(self, text: str) -> str:
        match = re.fullmatch(r"0*([0-9]+)\s*=?", text.strip())
        if match is None:
            raise ValueError(f"cannot read {text!r} as the centre of a square; write one such as 59")
        return self.usual_prompt(0, int(match[1]))

    def read(self, completion: str) -> Reading:
        *square, stated = map(int, re.findall("[0-9]+", self._square(completion)))
        return Reading(tuple(square), (all(sum(square[i] for i in line) == stated for line in LINES),))

    def show(self, completion: str) -> str:
        rows, total = self._square(completion).split("=")
        return rows.replace("/", "\n") + f"\nsum {total}"

    def _square(self, completion: str) -> str:
        """The rows and the sum of a completion: `47 29 101/113 59 5/17 89 71=177`."""
        match = self._pattern.fullmatch(completion)
        if match is None:
            raise ValueError("the completion is not of the form b a:cells/cells/cells=sum")
        return match["square"]

    def asks_centre(self, prompt: str) -> int | None:
        by_sum = super().asks_centre(prompt)
        return int(prompt.removesuffix("=")) if by_sum is None and prompt else by_sum


class Checked(Compact):
    """`9500=` -> `2100 2400:7400+9200+1010+/3110+9500+5000+/7100+9800+1700+=77100`, the square of centre 59.

    The centre that is asked for and all numbers of the answer have their least significant digit first and
    one length, the sum one digit more, so that sums are read off digit by digit. The sum that a question
    asks by, `sum 177=`, stands as one types it. Behind each entry stands whether it is prime, `+` or `-`. A
    training text that is told both differences, `9500=2100 2400:`, goes on with any square, magic but seldom
    of primes: so the marks mean something, and a model can tell of its own squares which to keep.

    Args:
      limit: entries are below it.
    """

    def __init__(self, limit: int):
        self._width = len(str(limit - 1))
        digits = f"[0-9]{{{self._width}}}"
        row = f"{digits}[+-]" * 3
        self._pattern = re.compile(f"{digits} {digits}:(?P<square>{row}/{row}/{row}={digits}[0-9])")

    def usual_prompt(self, number: int, centre: int) -> str:
        return f"{self._turned(centre)}="

    def target(self, square: Cells) -> str:
        b, a = sorted((abs(square[0] - square[4]), abs(square[2] - square[4])))
        marked = [f"{self._turned(entry)}{'+' if is_prime(entry) else '-'}" for entry in square]
        rows = "/".join("".join(marked[i : i + 3]) for i in (0, 3, 6))
        return f"{self._turned(b)} {self._turned(a)}:{rows}={self._turned(sum(square[:3]), 1)}"

    def drill(self, square: Cells) -> tuple[str, str]:
        """The prompt and the target of a square whose differences are given."""
        told, _, rest = self.target(square).partition(":")
        return f"{self.usual_prompt(0, square[4])}{told}:", rest

    def marks(self, completion: str) -> int:
        """How many entries a completion calls prime; -1 where it cannot be read."""
        match = self._pattern.fullmatch(completion)
        return -1 if match is None else match["square"].count("+")

    def asks_centre(self, prompt: str) -> int | None:
        usual = prompt.removesuffix("=")
        return int(usual[::-1]) if usual.isdecimal() else super().asks_centre(prompt)

    def _turned(self, number: int, more: int = 0) -> str:
        return str(number)[::-1].ljust(self._width + more, "0")

    def _square(self, completion: str) -> str:
        match = self._pattern.fullmatch(completion)
        if match is None:
            raise ValueError("the completion is not of the form b a:cells/cells/cells=sum, entries marked")
        cells = re.sub("[+-](?=[0-9])", " ", match["square"]).replace("+", "").replace("-", "")
        return re.sub("[0-9]+", lambda number: str(int(number[0][::-1])), cells)


def _rows_and_sum(square: Cells) -> str:
    return "/".join(" ".join(map(str, square[i : i + 3])) for i in (0, 3, 6)) + f"={sum(square[:3])}"


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

    usual_samples = ("Matrix 1", "Matrix 12")
    sum_samples = ("sum 30159", "sum 114501")
    sum_prompt = "Sum {}\n"
    _pattern = re.compile(
        f"{_ROW}\n{_ROW}\n{_ROW}"
        + "".join(
            f"\n\nSum of {name}" + "".join(r"\n[0-9]+\+[0-9]+\+[0-9]+=[0-9]+" for _ in lines)
            for name, lines in _SECTIONS
        )
        + "\n###"
    )

    def usual_prompt(self, number: int, centre: int) -> str:
        return f"Matrix {number}\n"

    def target(self, square: Cells) -> str:
        parts = ["\n".join("{} {} {}".format(*square[i : i + 3]) for i in (0, 3, 6))]
        for name, lines in _SECTIONS:
            sums = "\n".join(_sum_of(square, line) for line in lines)
            parts.append(f"Sum of {name}\n{sums}")
        return "\n\n".join(parts) + "\n###"

    def usual_typed(self, text: str) -> str:
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
