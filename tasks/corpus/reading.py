"""Reading documents from a table, from JSON lines, or from plain text."""

import json
from pathlib import Path
from typing import Any

from jaxgpt.paths import expanded
from jaxgpt.data.lines import split_lines, split_paragraphs, unify_ends
from jaxgpt.wording import quoted
from tasks.corpus.columns import choose_column
from tasks.corpus.table import read_table

_TABLE_SUFFIXES = (".csv", ".tsv", ".tab")
_JSON_SUFFIXES = (".jsonl", ".ndjson")


def read_text(path: str) -> str:
    r"""The text of a UTF-8 file, without a byte-order mark, with `\n` at the end of every line.

    Raises:
      ValueError: if there is no such file, it is empty, or it is not UTF-8 (with the line and the byte).
    """
    return unify_ends(_as_it_stands(path))


def read_lines(path: str) -> list[str]:
    """The lines of a file, without their ends; empty ones, too.

    Raises:
      ValueError: as `read_text`.
    """
    return split_lines(_as_it_stands(path))


def _as_it_stands(path: str) -> str:
    if not path:
        raise ValueError("task.path is not set: name a file of text with --task.path FILE")
    file = expanded(path)
    if file.is_dir():
        raise ValueError(f"{path} is a directory; task.path names one file in it")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}); task.path is relative to {Path.cwd()}"
        ) from error
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ValueError(f"{path} is UTF-16; convert it: iconv -f UTF-16 -t UTF-8 {file.name} > utf8.txt")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise ValueError(f"{path} is empty")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path} line {line}: byte 0x{data[error.start]:02x} is not UTF-8; "
            f"convert the file, for example: iconv -f LATIN1 -t UTF-8 {file.name} > utf8.txt"
        ) from error


def file_stamp(path: str) -> tuple[int, int]:
    """Changes when the file does, so that what was read of it can be kept; zeros where there is no file."""
    file = expanded(path)
    if not path or not file.is_file():
        return 0, 0
    status = file.stat()
    return status.st_mtime_ns, status.st_size


def read_documents(path: str, text_column: str | None = None, delimiter: str | None = None) -> list[str]:
    """The documents of a file: a column of a table, a key of JSON lines, or paragraphs of plain text.

    A file whose first line is a JSON object is JSON lines, whatever its name. Otherwise `.csv`, `.tsv` and
    `.tab` are tables, and so is any file for which a column or a delimiter is given. Everything else is
    plain text: paragraphs between blank lines, or where there is no blank line, one document a line.

    Args:
      path: the file.
      text_column: which column or key holds the text; None: the obvious one. In a table, a number that
        is no column's name says that there is no header and counts columns from 1.
      delimiter: one character or `comma`, `semicolon`, `tab`, `pipe`; None: found by consistency.

    Raises:
      ValueError: for a file that cannot be read as described; one line, with the line number.
    """
    text = _as_it_stands(path)
    suffix = Path(path).suffix.lower()
    first = next(line for line in text.splitlines() if line.strip())
    if suffix in _JSON_SUFFIXES or _is_object(first):
        return _json_lines(text, path, text_column)
    if suffix in _TABLE_SUFFIXES or text_column is not None or delimiter is not None:
        return read_table(text, path, text_column, delimiter)
    return split_paragraphs(text)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _json_lines(text: str, path: str, text_column: str | None) -> list[str]:
    rows: list[tuple[int, dict[str, Any]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} line {number} is not JSON: {quoted(line)}") from error
        if not isinstance(value, dict):
            raise ValueError(f"{path} line {number} is not a JSON object: {quoted(line)}")
        rows.append((number, value))
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    columns = [[str(row.get(name, "")) for _, row in rows] for name in names]
    name = names[choose_column(names, columns, text_column, path)]
    for number, row in rows:
        if not isinstance(row.get(name), str):
            raise ValueError(
                f"{path} line {number}: {name!r} is "
                + (f"{quoted(json.dumps(row[name]))}, not text" if name in row else "missing")
            )
    return [row[name] for _, row in rows]
