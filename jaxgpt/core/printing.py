"""Printing that never ends a run: characters that a terminal lacks are escaped, one that is gone is let go.

What a run found is in its files; what it prints is a courtesy. A command whose only result is its output,
such as `generate`, prints by itself and ends when nobody reads.
"""

import contextlib
import os
import sys
from typing import TextIO


def prepare() -> None:
    """Escape what the standard streams of a command cannot encode, and open those that are closed.

    The number of a closed one would be that of the next file, into which a library's messages would go.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # which takes the lowest number that is free
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(line: str) -> None:
    """Print a line on standard output, at once."""
    _print(f"{line}\n", sys.stdout)


def complain(text: str) -> None:
    """Print on standard error, at once; `text` brings its own line ends."""
    _print(text, sys.stderr)


def is_terminal() -> bool:
    """Whether standard error is a terminal, where a line may be written over."""
    return sys.stderr is not None and sys.stderr.isatty()


def flush() -> None:
    """Print what standard output still holds, so that no error comes of it when Python ends."""
    _print("", sys.stdout)


def let_go(stream: TextIO | None) -> None:
    """Whatever is printed on a stream from now on, and what it still holds, goes nowhere."""
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):  # one that is no file, or is closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _print(text: str, stream: TextIO | None) -> None:
    if stream is None:
        return
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            coding = stream.encoding
            stream.write(text.encode(coding, "backslashreplace").decode(coding))
        stream.flush()
    except (OSError, ValueError):  # nobody reads, the disk is full, or the stream is closed
        let_go(stream)
