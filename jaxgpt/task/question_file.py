r"""A file of questions with their answers, as others publish them.

Lines of `question<TAB>answer`, questions alone, one a line, or JSON objects with a key for each:

    Q: What is 98 plus 45?\n\nA:<TAB>143
    {"question": "What is 98 plus 45?", "answer": "143"}
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jaxgpt.core.json_objects import looks_like_json, read_objects
from jaxgpt.core.lines import split_lines
from jaxgpt.core.textfile import read_raw_text
from jaxgpt.core.wording import in_file, quoted

#: Keys that hold the question and the answer where none is named, the most usual first.
PROMPT_KEYS = ("prompt", "question", "input", "problem", "query")
TARGET_KEYS = ("target", "answer", "output", "completion", "solution", "response")
_FIRST = re.compile(r"\S[^\r\n]*")
_ESCAPE = re.compile(r"\\([nt\\])")
_ESCAPED = {"n": "\n", "t": "\t", "\\": "\\"}


def read_file(path: str) -> Iterator[tuple[str, str | dict[str, Any]]]:
    """Where each row of a file stands, and the row: a JSON object, or a line that is not empty.

    Raises:
      ValueError: if the file is no text, empty, or begins as JSON and is none.
    """
    text, name = read_raw_text(path)
    named = Path(name).suffix.lower() in (".json", ".jsonl", ".ndjson")
    # A prompt may begin with an object, too; behind JSON on a line there is no tab.
    if named or (looks_like_json(text) and "\t" not in _FIRST.search(text)[0].rstrip()):
        yield from read_objects(text, path)
        return
    lines = split_lines(text)
    del text  # which may be large
    for number, line in enumerate(lines, 1):
        if line.strip() or "\t" in line:
            yield f"line {number}", line


def find_key(row: Mapping[str, Any], named: str, usual: tuple[str, ...], option: str, where: str) -> str:
    """The key of an object that holds what is looked for: the one named, or the first of the usual ones.

    Raises:
      ValueError: without such a key; the message, which begins with `where`, tells `option`.
    """
    key = named or next((key for key in usual if key in row), "")
    if key in row:
        return key
    lacks = f"no key {quoted(named)}" if named else f"none of the keys {', '.join(usual)}"
    has = quoted(", ".join(row), 80) if row else "none"
    raise ValueError(f"{where} has {lacks}; it has {has}: name one with {option}")


def text_of(row: Mapping[str, Any], key: str, where: str) -> str:
    """The text under a key; a whole number is written out.

    Raises:
      ValueError: if it is anything else: a fraction would lose how it was written.
    """
    value = row[key]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"{where}: {quoted(key)} is {quoted(repr(value))}; write it as text, in quotes")
    return value


def unescaped(text: str) -> str:
    r"""The text with a line end for `\n`, a tab for `\t` and one backslash for two."""
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], text)


def read_questions(path: str) -> Iterator[tuple[str, str]]:
    """Where each question of a file stands, and the question alone.

    Raises:
      ValueError: as `read_file`, or for an object without a question; one line that begins with the file.
    """
    for where, row in read_file(path):
        if isinstance(row, str):
            yield where, unescaped(row.split("\t", 1)[0])
            continue
        try:
            yield where, text_of(row, find_key(row, "", PROMPT_KEYS, "one of these keys", where), where)
        except ValueError as error:
            raise ValueError(in_file(path, str(error))) from error


def read_answered(path: str) -> Iterator[tuple[str, str, str]]:
    """Where each question of a file stands, the question, and its answer: what follows the last tab.

    Raises:
      ValueError: as `read_questions`, or for a question without an answer.
    """
    for where, row in read_file(path):
        try:
            if isinstance(row, str):
                question, tab, answer = row.rpartition("\t")
                if not tab or not answer.strip():
                    raise ValueError(
                        f"{where}: {quoted(row)} has no answer; write a tab and the answer behind it"
                    )
                yield where, unescaped(question), unescaped(answer)
                continue
            key = find_key(row, "", PROMPT_KEYS, "one of these keys", where)
            answer_key = find_key(row, "", TARGET_KEYS, "one of these keys", where)
            answer = text_of(row, answer_key, where)
            if not answer.strip():
                raise ValueError(f"{where}: {quoted(answer_key)} is empty; write the answer")
            yield where, text_of(row, key, where), answer
        except ValueError as error:
            raise ValueError(in_file(path, str(error))) from error


def read_lines(path: str) -> list[str]:
    """The lines of a file as they stand, empty ones among them.

    Raises:
      ValueError: if the file is no text or empty.
    """
    return split_lines(read_raw_text(path)[0])
