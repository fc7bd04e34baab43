"""What is refused before anything of it is opened."""

import os
from pathlib import Path


def refuse_links(directory: Path) -> None:
    """Raises ValueError if anything below is a symbolic link, which could lead a reader elsewhere."""
    for root, folders, files in os.walk(directory):
        for name in folders + files:
            if os.path.islink(os.path.join(root, name)):
                raise ValueError(f"{os.path.join(root, name)} is a symbolic link; checkpoints hold none")


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
