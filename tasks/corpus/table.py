"""Delimited tables (RFC 4180): the delimiter by consistency, errors with line numbers."""

import csv
import itertools
import re
from collections.abc import Iterator, Sequence

from jaxgpt.core.wording import in_file, quoted
from tasks.corpus.columns import choose_column

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_SNIFFED_ROWS = 1000
_LINE = re.compile(r"[^\r\n]+(?:\r\n?|\n)?|\r\n?|\n")
_EXCEL = re.compile(r'"?sep=([^\w\s"]|\t)"?(?:\r?\n|\r)', re.IGNORECASE)


def read_table(text: str, path: str, text_column: str | None, delimiter: str | None) -> list[str]:
    """One column of a table; see `tasks.corpus.read_documents`. Errors as of `read_columns`."""
    return [texts[0] for _, texts in read_columns(text, path, (text_column,), delimiter)]


def read_columns(
    text: str, path: str, wanted: Sequence[str | None], delimiter: str | None
) -> list[tuple[int, tuple[str, ...]]]:
    """Some columns of a table, each row with the line that it starts on.

    Args:
      wanted: names, or numbers from 1 where there is no header; None: the obvious column of text.

    Raises:
      ValueError: for a header without rows, a row of another width, a quote that is never closed, an
        unknown or ambiguous column.
    """
    text, first, stated = _excel(_undoubled(text))
    before = csv.field_size_limit(max(len(text), 1))
    try:
        character = _character(delimiter) or stated or sniff_delimiter(text)
        rows = _all_rows(text, path, character, first)
    finally:
        csv.field_size_limit(before)
    if not rows:
        raise ValueError(
            in_file(path, f"has a line that names its delimiter, {quoted(character)}, and no rows")
        )
    header = rows[0][1]
    named = not any(name and name.isdecimal() and name not in header for name in wanted)
    width = len(header)
    names = header if named else [str(index + 1) for index in range(width)]
    body = rows[1:] if named else rows
    if not body:
        raise ValueError(in_file(path, f"has a header ({_shown(header)}) and no rows"))
    for line, row in body:
        if len(row) != width:
            raise ValueError(
                in_file(
                    path,
                    f"line {line}: {len(row)} columns where the first row has {width}, with "
                    f"{_name(character)} between them; a field that holds one needs double quotes",
                )
            )
    columns = [[row[index] for _, row in body] for index in range(width)]
    chosen = [choose_column(names, columns, name, path, rows=len(body)) for name in wanted]
    return [(line, tuple(row[index] for index in chosen)) for line, row in body]


def _undoubled(text: str) -> str:
    """A table whose every line end Windows has converted twice, as it was."""
    feeds = text.count("\n")
    return text.replace("\r\r\n", "\r\n") if feeds and feeds == text.count("\r\r\n") else text


def _excel(text: str) -> tuple[str, int, str | None]:
    """The text without Excel's first line `sep=;`, the number of its first line, and that delimiter."""
    found = _EXCEL.match(text)
    return (text[found.end() :], 2, found[1]) if found else (text, 1, None)


def _shown(header: list[str]) -> str:
    names = [name if len(name) <= 20 and name.isprintable() else quoted(name, 20) for name in header[:5]]
    return ", ".join(names) + (f" and {len(header) - 5} more" if len(header) > 5 else "")


def sniff_delimiter(text: str) -> str:
    """The delimiter that splits most rows into as many fields as the first, and the first into most."""
    scores = []
    for character in DELIMITERS.values():
        widths = []
        try:
            for _, row in itertools.islice(_rows(text, character, csv.QUOTE_MINIMAL), _SNIFFED_ROWS):
                widths.append(len(row))
        except csv.Error:
            widths.append(0)
        if widths and widths[0] > 1:
            scores.append((widths.count(widths[0]) / len(widths), widths[0], character))
    return max(scores)[2] if scores else ","


def _all_rows(text: str, path: str, character: str, first: int) -> list[tuple[int, list[str]]]:
    try:
        return list(_rows(text, character, csv.QUOTE_MINIMAL, first))
    except csv.Error as error:
        # Many tab-separated files quote nothing: a sentence in quotation marks is data there.
        if character == "\t":
            return list(_rows(text, character, csv.QUOTE_NONE, first))
        raise ValueError(
            in_file(
                path,
                f"line {_failing_line(text, character, first)}: {error}; a quote inside a quoted field is "
                "written twice",
            )
        ) from error


def _rows(text: str, character: str, quoting: int, first: int = 1) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line each starts on, the first being `first`; blank lines are left out."""
    reader = csv.reader(_lines(text), delimiter=character, quoting=quoting, strict=True)
    line = first
    for row in reader:
        if row:
            yield line, row
        line = reader.line_num + first


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends; `io.StringIO` would hold four bytes a character for it."""
    return (found[0] for found in _LINE.finditer(text))


def _failing_line(text: str, character: str, first: int) -> int:
    """The line on which the row that cannot be parsed starts."""
    reader = csv.reader(_lines(text), delimiter=character, strict=True)
    line = first
    try:
        for _ in reader:
            line = reader.line_num + first
    except csv.Error:
        pass
    return line


def _character(delimiter: str | None) -> str | None:
    if delimiter is None:
        return None
    character = DELIMITERS.get(delimiter, "\t" if delimiter == "\\t" else delimiter)
    if len(character) != 1 or character in '"\r\n':
        raise ValueError(
            f"task.delimiter={delimiter!r} is neither one character nor one of {', '.join(DELIMITERS)}"
        )
    return character


def _name(character: str) -> str:
    return next((name for name, value in DELIMITERS.items() if value == character), repr(character))
