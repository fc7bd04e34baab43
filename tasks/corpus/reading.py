"""Reading documents from a table, from JSON, or from plain text."""

from pathlib import Path

from jaxgpt.core.json_objects import looks_like_json
from jaxgpt.core.lines import split_lines, split_paragraphs, unify_ends
from jaxgpt.core.textfile import read_raw_text
from tasks.corpus.json_rows import read_json
from tasks.corpus.table import read_columns, read_table

_TABLE_SUFFIXES = (".csv", ".tsv", ".tab")
_JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")


def check_path(path: str) -> None:
    """Raises ValueError if no file is named."""
    if not path:
        raise ValueError("task.path is not set: name a file of text with --task.path FILE")


def read_text(path: str) -> str:
    r"""The text of a file, without a byte-order mark, with `\n` at the end of every line.

    UTF-8, UTF-16 and UTF-32, packed by gzip, bzip2, xz, zstd, or alone in a zip.

    Raises:
      ValueError: if there is no such file, it is empty, or it is no text (with the line and the byte); one
        line of at most 300 characters, which begins with the file.
    """
    return unify_ends(_raw(path)[0])


def read_lines(path: str) -> list[str]:
    """The lines of a file, without their ends; empty ones, too.

    Raises:
      ValueError: as `read_text`.
    """
    return split_lines(_raw(path)[0])


def _raw(path: str) -> tuple[str, str]:
    """The text with its line ends as they stand, and the file's name without its packing."""
    check_path(path)
    return read_raw_text(path)


def read_documents(path: str, text_column: str | None = None, delimiter: str | None = None) -> list[str]:
    """The documents of a file: a column of a table, a key of JSON objects, or paragraphs of plain text.

    A file that begins with a JSON object, or with an array of them, is JSON, whatever its name: an object a
    line, one array, or objects over several lines. Otherwise `.csv`, `.tsv` and `.tab` are tables, and so is
    any file for which a column or a delimiter is given. Everything else is plain text: paragraphs between
    blank lines, or where there is no blank line, one document a line.

    Args:
      path: the file, as for `read_text`.
      text_column: which column or key holds the text; None: the obvious one. In a table, a number that
        is no column's name says that there is no header and counts columns from 1.
      delimiter: one character or `comma`, `semicolon`, `tab`, `pipe`; None: that of a first line `sep=;`, as
        Excel writes it, or found by consistency.

    Raises:
      ValueError: for a file that cannot be read as described; one line, with the line number.
    """
    text, name = _raw(path)
    suffix = Path(name).suffix.lower()
    if suffix in _JSON_SUFFIXES or looks_like_json(text):
        return read_json(text, path, text_column)
    if suffix in _TABLE_SUFFIXES or text_column is not None or delimiter is not None:
        return read_table(text, path, text_column, delimiter)
    return split_paragraphs(text)


def read_labelled(
    path: str, text_column: str | None, label_column: str, delimiter: str | None = None
) -> list[tuple[int, str, str]]:
    """The rows of a table: the line that each starts on, its text, and what stands in the column of labels.

    Columns and delimiter are as for `read_documents`.

    Raises:
      ValueError: as `read_documents`; if the file holds JSON.
    """
    text, name = _raw(path)
    if Path(name).suffix.lower() in _JSON_SUFFIXES or looks_like_json(text):
        raise ValueError(f"{path} holds JSON, and a table with a column of labels is read; write it as .csv")
    rows = read_columns(text, path, (text_column, label_column), delimiter)
    return [(line, own, label) for line, (own, label) in rows]
