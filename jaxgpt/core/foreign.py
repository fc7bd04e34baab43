"""Files of a directory that somebody else may have made: a run, a corpus, a model of transformers.

Nothing of such a file is believed before it was looked at: it is a plain file of its own directory, of a size
that its kind can have, and what is wrong with it is told in one line that begins with its path.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxgpt.core.wording import one_line, quoted

#: Bytes of a JSON file, at most. The largest tokenizer.json of a published model has 35 MB.
MOST = 2**26
#: Digits of a whole number in a JSON file, at most; transformers writes 10^30 for a text without a limit.
_DIGITS = 40


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """What goes wrong inside is a ValueError of one short line that begins with `path`.

    A message that begins with `path` already, or with a file below it, keeps its beginning.
    """
    try:
        yield
    except (ValueError, OSError, OverflowError, RecursionError, MemoryError) as error:
        told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        told = told or type(error).__name__
        line = one_line(told if told.startswith(str(path)) else f"{path}: {told}")
        if isinstance(error, ValueError) and line == str(error):
            raise
        raise ValueError(line) from error


def inside(path: Path) -> Path:
    """The path of a file, if it lies in its directory itself.

    A link is refused: it could lead a reader to any file of this machine. The cache of Hugging Face's hub is
    made of links, `models--NAME/snapshots/REVISION/FILE -> ../../blobs/HASH`; those are followed.

    Raises:
      ValueError: if it is a link, a device or a directory, or is not there.
    """
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode) and _in_hub(path):
            status = os.stat(path)
    except FileNotFoundError:
        raise ValueError(f"{path} does not exist") from None
    except NotADirectoryError:
        raise ValueError(f"{path.parent} is no directory") from None
    if stat.S_ISLNK(status.st_mode):
        raise ValueError(f"{path} is a link that leads elsewhere; put the file itself there")
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path} is no plain file")
    return path


def _in_hub(path: Path) -> bool:
    """Whether a link leads from the snapshots of a model in the hub's cache to the same model's blobs."""
    own = Path(os.path.abspath(path))
    home = next((p for p in own.parents if p.name.startswith("models--")), None)
    if home is None or own.relative_to(home).parts[0] != "snapshots":
        return False
    return Path(os.path.realpath(own)).parent == Path(os.path.realpath(home)) / "blobs"


def check_size(path: Path, most: int) -> None:
    """Raises ValueError if a file is larger than any of its kind, before memory is taken for it.

    A device or a pipe has no size that would say so.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path} is no plain file")
    if status.st_size > most:
        raise ValueError(f"{path} has {status.st_size:,} bytes; no such file has more than {most:,}")


def read_text(path: Path, most: int = MOST) -> str:
    """A file of text of at most `most` bytes.

    Raises:
      ValueError: if it is a link, too large, cannot be read, or is not UTF-8.
    """
    with naming(path):
        check_size(inside(path), most)
        data = path.read_bytes()
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} cannot be read: it is not UTF-8 text (byte {error.start:,})") from None


def read_json(path: Path, most: int = MOST) -> Any:
    """What a JSON file of at most `most` bytes holds.

    Raises:
      ValueError: as `read_text`, if it is no JSON, nests too deeply, or has a number of too many digits.
    """
    with naming(path):
        text = read_text(path, most)
        try:
            return parse_json(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is not JSON: {error}") from error


def parse_json(text: str) -> Any:
    """JSON without the whole numbers that only a mistake or an attack would write.

    Raises:
      ValueError, RecursionError: if it is none.
    """
    return json.loads(text, parse_int=_whole)


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"the number {quoted(text, 20)} is too large")
    return int(text)
