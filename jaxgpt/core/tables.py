"""Tables: as columns of a terminal, as Markdown, as LaTeX, and as a value that a page is made of."""

import csv
import dataclasses
import io
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

from jaxgpt.core.wording import cut, visible


def comma_separated(rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV, a line each.

    Each is written by itself with the line end of RFC 4180: with another one the `csv` module of Python 3.11
    and 3.12 does not quote a carriage return in a field, which then reads as the end of the row.
    """
    lines = []
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line).writerow(row)
        lines.append(line.getvalue().removesuffix("\r\n") + "\n")
    return "".join(lines)


@dataclasses.dataclass(frozen=True)
class Entry:
    """What stands in one place of a table.

    Attributes:
      text: in full.
      sure: what is surely better or worse than what it is compared with; it is printed bold, and shaded
        where there are colours.
      detail: in parentheses behind the text, such as its interval.
    """

    text: str
    sure: Literal["", "better", "worse"] = ""
    detail: str = ""

    @property
    def whole(self) -> str:
        return f"{self.text} ({self.detail})" if self.detail else self.text


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows under a header; the first column names them.

    Attributes:
      title: a few words.
      caption: what must be known to read it, in full sentences.
    """

    title: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]


def columns(rows: Sequence[Sequence[str]], *, left: Iterable[int] = (0,)) -> list[str]:
    """Rows of cells as lines of equal columns; those not in `left` stand on the right."""
    left, widths = set(left), [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            text.ljust(width) if i in left else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def grid(header: Sequence[str], rows: Iterable[Sequence[str]], *, rule: Sequence[str] = ()) -> list[str]:
    """The lines of a Markdown table, whose cells are Markdown already.

    Args:
      rule: how each column is aligned, such as `--:`; empty: as the reader's program does.
    """
    return [_line(header), _line(rule or ["---"] * len(header)), *map(_line, rows)]


def terminal(table: Table) -> str:
    """A table in columns for a terminal; long headers stand on several lines."""
    heads = [visible(name).replace(", ", " ").split() for name in table.header]
    depth = max(map(len, heads))
    lines = [[""] * (depth - len(words)) + words for words in heads]
    cells = [[visible(entry.whole) for entry in row] for row in table.rows]
    return "\n".join(columns([[column[level] for column in lines] for level in range(depth)] + cells))


def markdown(table: Table) -> str:
    """The table with its title as a heading."""
    lines = [
        f"### {plain(table.title)}",
        "",
        plain(table.caption),
        "",
    ]
    rows = [[f"**{plain(e.whole)}**" if e.sure else plain(e.whole) for e in row] for row in table.rows]
    rule = [":--", *["--:"] * (len(table.header) - 1)]
    return "\n".join(lines + grid([*map(plain, table.header)], rows, rule=rule)) + "\n"


def _line(cells: Iterable[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def plain(text: str) -> str:
    """Text that Markdown shows as it stands."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", visible(text))


#: Makes a table smaller that is wider than the text.
_FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}"
#: Characters of a line of a header in LaTeX, but for longer words.
_HEAD = 12


def latex(table: Table, label: str) -> str:
    """The table as a float of LaTeX with its caption, for the packages booktabs and graphicx.

    Args:
      label: by which a text refers to it; letters, digits and hyphens.
    """
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        f"\\caption{{\\textbf{{{tex(table.title)}.}} {tex(table.caption)}}}",
        f"\\label{{tab:{label}}}",
        r"\scriptsize\setlength{\tabcolsep}{3pt}",
        f"{_FIT}{{\\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
        r"\toprule",
        " & ".join(_head(name, "r" if place else "l") for place, name in enumerate(table.header)) + r" \\",
        r"\midrule",
    ]
    for row in table.rows:
        texts = [tex(cut(visible(entry.whole))) for entry in row]  # TeX has no lengths above five metres
        cells = (f"\\textbf{{{t}}}" if e.sure else t for e, t in zip(row, texts, strict=True))
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", r"\end{table}", ""])


def _head(name: str, side: Literal["l", "r"]) -> str:
    """A column's header on as many lines as it needs, those on the given side."""
    lines = textwrap.wrap(cut(visible(name)), _HEAD, break_long_words=False, break_on_hyphens=False)
    text = r"\\".join(map(tex, lines))
    return f"\\shortstack[{side}]{{{text}}}" if len(lines) > 1 else text


_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",  # in every font encoding
    "`": r"\`{}",
    "[": "{[}",  # behind \\ it would open an optional argument
    "*": "{*}",  # and this would be a part of that command
} | {character: "\\" + character for character in "&%$#_{}"}


#: What sets an accent in every font encoding, by the combining mark.
_ACCENTS = {
    "\u0300": "\\`",
    "\u0301": "\\'",
    "\u0302": "\\^",
    "\u0303": "\\~",
    "\u0308": '\\"',
    "\u030a": "\\r",
    "\u030c": "\\v",
    "\u0327": "\\c",
}


def tex(text: str) -> str:
    """Text that LaTeX sets as it stands; of letters beyond ASCII those with an accent, the rest escaped.

    pdflatex stops at a character that it has no font for, such as a Chinese one.
    """
    found = "".join(map(_in_tex, visible(text)))
    return re.sub("-(?=-)", "-{}", found)  # two of them would be a dash


def _in_tex(character: str) -> str:
    if character.isascii():
        return _TEX.get(character, character)
    letter, *marks = unicodedata.normalize("NFD", character)
    if len(marks) == 1 and letter.isascii() and letter.isalpha() and marks[0] in _ACCENTS:
        return f"{_ACCENTS[marks[0]]}{{{letter}}}"
    return character.encode("unicode_escape").decode().replace("\\", _TEX["\\"])
