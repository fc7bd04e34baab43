"""What is refused before anything of it is opened."""

import os
import stat
from pathlib import Path

from jaxgpt.core import foreign


def refuse_links(directory: Path) -> None:
    """Raises ValueError if a directory is a symbolic link, or anything below is one, which could lead a
    reader elsewhere, or a device or a pipe, which could keep it waiting."""
    if os.path.islink(directory):
        raise ValueError(f"{directory} is a symbolic link; put the folder itself there")
    for root, folders, files in os.walk(directory):
        for name in folders + files:
            path = os.path.join(root, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                raise ValueError(f"{path} is a symbolic link; checkpoints hold none")
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise ValueError(f"{path} is no plain file; checkpoints hold no others")


def refuse_sizes(directory: Path) -> None:
    """Raises ValueError if a file of a checkpoint is larger than it can be.

    Orbax reads whole all files but those with arrays, which lie in folders `d`, and ends the process where
    memory is too small. Those with arrays are compressed: none fits in a thousandth of its size.
    """
    for root, _, files in os.walk(directory):
        for name in files:
            path = os.path.join(root, name)
            status = os.lstat(path)
            holes = status.st_blocks * 512 * 1000 < status.st_size
            if status.st_size > foreign.MOST and (holes or os.path.basename(root) != "d"):
                short = f"{directory.name}/{os.path.relpath(path, directory)}"
                raise ValueError(f"{short} has {status.st_size:,} bytes, more than such a file can have")


def refuse_pickle(path: Path, instead: str = "a run directory made by train.py") -> None:
    """Raises ValueError if a file starts like a Python pickle or a zip archive of one; nothing is opened.

    Args:
      instead: what to give.
    """
    with open(path, "rb") as file:
        head = file.read(4)
    if head[:1] == b"\x80" or head[:4] == b"PK\x03\x04":
        raise ValueError(
            f"{path} is a Python pickle, which can run code when it is opened, and is refused; give {instead}"
        )
