r"""Lines and paragraphs of a text: what every task and every command takes for the end of a line.

A line ends with a line feed, whatever number of carriage returns stands before it, or with a carriage return
alone: Unix, Windows, a Windows file converted twice (`\r\r\n`), and the old Macintosh. Whatever else Unicode
calls the end of a line is a character of it.
"""

import re
from collections.abc import Iterable, Iterator

_RETURNS = re.compile("\r+\n?")


def unify_ends(text: str) -> str:
    r"""The text with `\n` at the end of every line."""
    if "\r" not in text:
        return text
    text = text.replace("\r\n", "\n")
    return _RETURNS.sub(_feeds, text) if "\r" in text else text


def _feeds(returns: re.Match) -> str:
    return "\n" if returns[0].endswith("\n") else "\n" * len(returns[0])


def split_lines(text: str) -> list[str]:
    """The lines of a text, without their ends; empty ones, too."""
    lines = unify_ends(text).split("\n")
    return lines if lines[-1] else lines[:-1]


def split_paragraphs(text: str) -> list[str]:
    """What stands between blank lines, without white space around it; without blank lines, every line."""
    lines = split_lines(text)
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    joined = ["\n".join(paragraph).strip() for paragraph in found if paragraph]
    return joined if len(joined) > 1 else [line for line in lines if line.strip()]


def join_lines(pieces: Iterable[str], longest: int) -> Iterator[str]:
    r"""The lines, with `\n` at their ends, of a text that comes in pieces of any size.

    A line of more than `longest` characters comes in several parts, of which the last alone has an end.
    """
    rest = ""
    for piece in pieces:
        text = rest + piece
        ready = text.rstrip("\r")  # a line feed may follow in the next piece
        *lines, last = unify_ends(ready).split("\n")
        for line in lines:
            yield line + "\n"
        rest = last + text[len(ready) :]
        if len(rest) >= longest:
            ready = rest.removesuffix("\r")
            yield unify_ends(ready)
            rest = rest[len(ready) :]
    if rest:
        *lines, last = unify_ends(rest).split("\n")
        for line in lines:
            yield line + "\n"
        if last:
            yield last
