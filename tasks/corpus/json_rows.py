"""JSON objects as rows: one a line, one array of them, or objects over several lines."""

import reprlib

from jaxgpt.core.json_objects import read_objects
from jaxgpt.core.wording import in_file, quoted
from tasks.corpus.columns import choose_column


def read_json(text: str, path: str, text_column: str | None) -> list[str]:
    """One key of every object; see `tasks.corpus.read_documents`.

    Raises:
      ValueError: for what is not JSON, no object, or an object without that text; with the line or the row.
    """
    rows = list(read_objects(text, path))
    # The values that are there: a table of all rows and all keys may be a million times as large.
    columns: dict[str, list[str]] = {}
    for _, row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value if isinstance(value, str) else reprlib.repr(value))
    names = list(columns)
    if not names:
        raise ValueError(in_file(path, "holds objects without keys"))
    name = names[choose_column(names, list(columns.values()), text_column, path, rows=len(rows))]
    for where, row in rows:
        if not isinstance(row.get(name), str):
            value = f"is {quoted(reprlib.repr(row[name]))}, not text" if name in row else "is missing"
            way = "; write a JSON object a row, with the text in it" if len(rows) == 1 else ""
            raise ValueError(in_file(path, f"{where}: {quoted(name)} {value}{way}"))
    return [row[name] for _, row in rows]
