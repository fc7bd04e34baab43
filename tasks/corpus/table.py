"""Delimited tables (RFC 4180): the delimiter by consistency, errors with line numbers."""

import csv
import io
import itertools
from collections.abc import Iterator

from tasks.corpus.columns import choose_column

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_SNIFFED_ROWS = 1000


def read_table(text: str, path: str, text_column: str | None, delimiter: str | None) -> list[str]:
    """One column of a table; see `tasks.corpus.read_documents`.

    Raises:
      ValueError: for a header without rows, a row of another width, a quote that is never closed, an
        unknown or ambiguous column.
    """
    before = csv.field_size_limit(max(len(text), 1))
    try:
        character = _character(delimiter) or sniff_delimiter(text)
        rows = _all_rows(text, path, character)
    finally:
        csv.field_size_limit(before)
    header = rows[0][1]
    named = not (text_column and text_column.isdecimal() and text_column not in header)
    width = len(header)
    names = header if named else [str(index + 1) for index in range(width)]
    body = rows[1:] if named else rows
    if not body:
        raise ValueError(f"{path} has a header ({', '.join(header)}) and no rows")
    for line, row in body:
        if len(row) != width:
            raise ValueError(
                f"{path} line {line}: {len(row)} columns where the first row has {width}, with "
                f"{_name(character)} between them; a field that holds one needs double quotes"
            )
    columns = [[row[index] for _, row in body] for index in range(width)]
    return columns[choose_column(names, columns, text_column, path)]


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
        if widths[0] > 1:
            scores.append((widths.count(widths[0]) / len(widths), widths[0], character))
    return max(scores)[2] if scores else ","


def _all_rows(text: str, path: str, character: str) -> list[tuple[int, list[str]]]:
    try:
        return list(_rows(text, character, csv.QUOTE_MINIMAL))
    except csv.Error as error:
        # Many tab-separated files quote nothing: a sentence in quotation marks is data there.
        if character == "\t":
            return list(_rows(text, character, csv.QUOTE_NONE))
        line = _failing_line(text, character)
        raise ValueError(
            f"{path} line {line}: {error}; a quote inside a quoted field is written twice"
        ) from error


def _rows(text: str, character: str, quoting: int) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line each starts on; blank lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=character, quoting=quoting, strict=True)
    line = 1
    for row in reader:
        if row:
            yield line, row
        line = reader.line_num + 1


def _failing_line(text: str, character: str) -> int:
    """The line on which the row that cannot be parsed starts."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=character, strict=True)
    line = 1
    try:
        for _ in reader:
            line = reader.line_num + 1
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
