"""Commands to type next, as messages show them: called as this process was, every word quoted."""

import shlex
import shutil
import sys
from pathlib import Path


def command(name: str, *words: object) -> str:
    """`jaxgpt NAME WORDS`, ready to be pasted into a shell.

    Where a script of that name was called, such as train.py, it stands instead; a `jaxgpt` that is not on the
    search path stands with its folder.
    """
    called = Path(sys.argv[0])
    if called.name == f"{name}.py":
        return shlex.join(["python", str(called), *map(str, words)])
    return shlex.join([_program(called), name, *map(str, words)])


def _program(called: Path) -> str:
    if called.name != "jaxgpt" or not called.is_file():  # such as a notebook's kernel, or train.py
        return "jaxgpt"
    found = shutil.which("jaxgpt")
    return "jaxgpt" if found is not None and called.samefile(found) else str(called)
