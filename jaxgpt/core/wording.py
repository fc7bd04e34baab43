"""Text from outside inside a message: printable, on one line, and not longer than a reader needs."""

from typing import Any


def quoted(text: str, most: int = 60) -> str:
    """`text` as a Python literal, cut at `most` characters; control characters and line ends are escaped."""
    return repr(text if len(text) <= most else text[: most - 3] + "...")


def visible(text: str) -> str:
    """Text on one line for people to see: line ends, control characters and the like are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: Any, most: int = 60) -> str:
    """Any value of a file inside a message: as it stands in Python, cut at `most` characters."""
    return quoted(value, most) if isinstance(value, str) else one_line(repr(value), most)


def one_line(message: str, most: int = 300) -> str:
    """A message on one line of at most `most` characters; the middle of a longer one is left out.

    The beginning names the file or the field, and the end says the way out, so both stay. What cannot be
    printed is escaped.
    """
    return cut(visible(" ".join(message.split())), most)


def cut(line: str, most: int = 300) -> str:
    """At most `most` characters of a line; the middle of a longer one is left out."""
    if len(line) <= most:
        return line
    tail = most // 3
    return line[: most - tail - 5] + " ... " + line[-tail:]


def in_file(path: object, what: str) -> str:
    """What is wrong with a file, on one line that begins with its name; a long name loses its middle."""
    name = visible(str(path))
    if len(name) > 160:
        name = name[:77] + "..." + name[-80:]
    line = name + ("" if what.startswith(":") else " ") + visible(what)
    return line if len(line) <= 300 else one_line(line)
