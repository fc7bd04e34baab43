"""Where in a file a text stands."""

from jaxgpt.core.wording import visible
from tasks.corpus.reading import read_lines

#: Characters of a text that are looked for; fewer where a line ends among them.
_LOOKED_FOR = (60, 20)


def place_in(path: str, text: str) -> str:
    """The first line that holds the beginning of a text, such as `pairs.tsv: line 3`; "" if none does.

    White space and capitals do not count.
    """
    lines = [_plain(line) for line in read_lines(path)]
    for count in _LOOKED_FOR:
        begins = _plain(text)[:count]
        for number, line in enumerate(lines, 1):
            if begins and begins in line:
                return f"{visible(path)}: line {number}"
    return ""


def _plain(text: str) -> str:
    return " ".join(text.split()).lower()
