"""Running what a document shows, in order, in a copy of the repository.

A `sh` block is run command by command. A `python` block that begins with a comment such as `# mine/task.py`
is a file and is written; any other is executed, all of a document in one namespace. What a comment behind a
command or behind a `print` promises must be the last line that it prints:

    jaxgpt generate runs/addition --prompt 9+71421  # 71430
    print(1 + 1)  # 2
"""

import configparser
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w/]+\.py)\n")
_INSTALL = re.compile(r"pip install -e (?:\.|'\.\[(\w+)\]')(?: && |$)")

#: Executes blocks that come in as JSON lines and answers with what each printed, or its traceback.
_INTERPRETER = """
import contextlib, io, json, os, sys, traceback
sys.path.insert(0, os.getcwd())
names = {"__name__": "document"}
answers = sys.stdout
for line in sys.stdin:
    printed, error = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(json.loads(line), "document", "exec"), names)
        except Exception:
            error = traceback.format_exc()
    answers.write(json.dumps([printed.getvalue(), error]) + "\\n")
    answers.flush()
"""


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block: `language` is what follows the fence, `line` the number of its first line."""

    document: Path
    line: int
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The path of the file that the block shows, if it shows one."""
        match = _FILE.match(self.text) if self.language == "python" else None
        return match[1] if match else None

    def __str__(self) -> str:
        return f"{self.document.name}:{self.line}"


def blocks(document: Path) -> list[Block]:
    """The fenced blocks of a Markdown file."""
    text = document.read_text(encoding="utf-8")
    return [Block(document, text.count("\n", 0, m.start()) + 2, m[1], m[2]) for m in _FENCE.finditer(text)]


def shown(document: Path, file: str) -> str:
    """The text of a file that a document shows.

    Raises:
      StopIteration: if it shows no such file.
    """
    return next(block.text for block in blocks(document) if block.file == file)


def commands(block: Block) -> list[tuple[str, str]]:
    """The commands of a `sh` block, each with the output that a comment behind it promises."""
    lines = block.text.replace("\\\n", "").splitlines()
    return [_split(line) for line in lines if line.strip() and not line.startswith("#")]


def installed(command: str) -> str:
    """The command without the installation of this project, which has been made: the tests run in it.

    The extras that it names must exist.
    """
    while match := _INSTALL.match(command):
        if match[1]:
            assert match[1] in extras(), f"{command}: setup.cfg has no extra {match[1]!r}"
        command = command[match.end() :]
    return command


def extras() -> set[str]:
    """The extras of setup.cfg."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return set(setup["options.extras_require"])


class Copy:
    """A copy of the repository in which a document's blocks run.

    Compiled programs are kept beside it, where the next copy finds them: pages show much the same runs.

    Attributes:
      printed: what each command and each Python block printed.
    """

    def __init__(self, path: Path, timeout: float):
        self.path, self.timeout = path, timeout
        self.printed: dict[str, str] = {}
        self._interpreter: subprocess.Popen | None = None
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, path / name)
        scripts = Path(sys.executable).parent
        self.environment = os.environ | {
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(path),  # before the repository itself, to which an editable install points
        }
        self.environment.pop("XLA_FLAGS", None)  # simulated devices are no part of a document
        self.environment |= {
            "JAXGPT_SETTINGS": "on",
            "XDG_CACHE_HOME": str(path.parent / "cache-of-documents"),
        }

    def run(self, document: Path) -> None:
        """Run a whole document.

        Raises:
          AssertionError: if a command fails or prints something other than what is promised.
        """
        try:
            for block in blocks(document):
                if block.file:
                    target = self.path / block.file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_text(block.text, encoding="utf-8")
                elif block.language == "python":
                    self._execute(block)
                elif block.language == "sh":
                    for command, promised in commands(block):
                        self._shell(block, command, promised)
        finally:
            if self._interpreter is not None:
                self._interpreter.communicate()
                self._interpreter = None

    def _shell(self, block: Block, command: str, promised: str) -> None:
        left = installed(command)
        if left in ("", "pytest"):  # the tests do not run themselves
            return
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", left],
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=self.timeout,
        )
        assert done.returncode == 0, f"{block}: {command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        self.printed[command] = done.stdout
        if promised:
            last = (done.stdout.rstrip().splitlines() or [""])[-1]
            assert last == promised, f"{block}: {command} prints {last!r}, not {promised!r}"

    def _execute(self, block: Block) -> None:
        if self._interpreter is None:
            self._interpreter = subprocess.Popen(
                [sys.executable, "-c", _INTERPRETER],
                cwd=self.path,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        self._interpreter.stdin.write(json.dumps(block.text) + "\n")
        self._interpreter.stdin.flush()
        answer = self._interpreter.stdout.readline()
        assert answer, f"{block}: the interpreter ended"
        printed, error = json.loads(answer)
        assert error is None, f"{block}:\n{error}"
        self.printed[str(block)] = printed
        promised = [_split(line)[1] for line in block.text.splitlines() if line.lstrip().startswith("print(")]
        if any(promised):
            assert printed.splitlines() == promised, f"{block} prints\n{printed}"


def _split(line: str) -> tuple[str, str]:
    """A line of code and the comment behind it, which two spaces set apart."""
    code, _, comment = line.partition("  # ")
    return code.strip(), comment.strip()
