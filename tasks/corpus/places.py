"""Where in a file a text stands."""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jaxgpt.core.wording import visible
from tasks.corpus.reading import read_lines


class _Text(NamedTuple):
    """A text, and the same without capitals and with one space for all white space."""

    exact: str
    plain: str


def _is(line: _Text, text: _Text) -> bool:
    """Whether a line is the text, or its first columns are."""
    return f"{line.exact}\t".startswith(f"{text.exact}\t")


def _begins(line: _Text, text: _Text) -> bool:
    """Whether a line begins with the words of the text."""
    return line.plain.startswith(text.plain) and not line.plain[len(text.plain) :][:1].isalnum()


def _holds(characters: int) -> Callable[[_Text, _Text], bool]:
    """Whether a line holds so many characters of the text; a text may go on behind the end of a line."""
    return lambda line, text: text.plain[:characters] in line.plain


#: The first that any line fits tells the place.
_WAYS = (_is, _begins, _holds(60), _holds(20))


def place_in(paths: Sequence[str], *texts: str) -> str:
    """The line that one of some texts stands in, such as `pairs.tsv: line 3`; "" if none does.

    Args:
      paths: files; empty names are passed over.
      texts: the same example in several forms, the likeliest first.
    """
    files = [(path, _texts(read_lines(path))) for path in paths if path]
    asked = [text for text in _texts(texts) if text.plain]
    for fits, text, (path, lines) in itertools.product(_WAYS, asked, files):
        for number, line in enumerate(lines, 1):
            if fits(line, text):
                return f"{visible(path)}: line {number}"
    return ""


def _texts(found: Sequence[str]) -> list[_Text]:
    return [_Text(text, " ".join(text.split()).lower()) for text in found]
