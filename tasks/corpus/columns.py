"""Which column of a table holds the text."""

from collections.abc import Sequence

from jaxgpt.core.choice import nearest
from jaxgpt.core.wording import in_file, quoted

#: Names that a column of running text usually has.
KNOWN = ("text", "synopsis", "description", "content", "document", "body", "abstract", "summary", "story")

# A column is far longer than the others when its mean is this many times theirs, and reads like prose.
_FACTOR = 3
_PROSE = 40
# A longer first field is no name: such a file has no header.
_NAME = 40
# Columns that a message shows.
_SHOWN = 4


def choose_column(
    names: Sequence[str], columns: Sequence[Sequence[str]], wanted: str | None, path: str, *, rows: int
) -> int:
    """The index of the column `wanted`, or of the obvious one.

    A column has at most `rows` values; what a row does not have counts as nothing.

    Obvious is the only column, the only one with a usual name, or one of prose at least three times as
    long on average as every other.

    Raises:
      ValueError: for an unknown name (with the nearest), or where no column is obvious (with a sample of
        each).
    """
    if wanted is not None:
        if names.count(wanted) == 1:
            return names.index(wanted)
        if names.count(wanted) > 1:
            what = f"has {names.count(wanted)} columns called {quoted(wanted)}; rename one"
            raise ValueError(in_file(path, what))
        known = [name for name in names[:1000] if name and len(name) <= _NAME]
        raise ValueError(in_file(path, f"has no column {quoted(wanted)}; {nearest(wanted, known)}"))
    if len(names) == 1:
        return 0
    usual = [index for index, name in enumerate(names) if name.strip().lower() in KNOWN]
    if len(usual) == 1:
        return usual[0]
    lengths = [sum(map(len, column)) / max(rows, 1) for column in columns]
    order = sorted(range(len(names)), key=lambda index: -lengths[index])
    named = all(len(name) <= _NAME for name in names)
    if named and lengths[order[0]] >= max(_PROSE, _FACTOR * lengths[order[1]]):
        return order[0]
    shown = [
        f"{_cut(name) or '(no name)'} ({_sample(column)})"
        for name, column in zip(names[:_SHOWN], columns[:_SHOWN], strict=True)
    ]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    raise ValueError(
        in_file(
            path,
            ": which column is the text? Choose with --task.text-column NAME (a number if the file has no "
            f"header): {', '.join(shown)}{more}",
        )
    )


def _sample(column: Sequence[str]) -> str:
    value = next((v for v in column if v.strip()), "")
    return repr(_cut(" ".join(value[:200].split())))


def _cut(text: str) -> str:
    text = text if text.isprintable() else repr(text[:30])[1:-1]
    return text if len(text) <= 20 else text[:17] + "..."
