"""Every folder of tests can be run alone: what a file of it imports from another folder is on the path."""

import ast
import tomllib
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parent
#: Those of packages are imported by their full names.
FILES = sorted(
    path
    for path in TESTS.rglob("*.py")
    if "references" not in path.parts
    and not any((above / "__init__.py").exists() for above in path.parents if TESTS in above.parents)
)


def imported(path: Path) -> set[str]:
    """The modules that a file names in its imports, without those below them."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in names}


def test_what_a_file_imports_is_found_whichever_folder_runs():
    settings = tomllib.loads((TESTS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    always = {
        TESTS,
        *(TESTS.parent / name for name in settings["tool"]["pytest"]["ini_options"]["pythonpath"]),
    }
    homes = {path.stem: path.parent for path in FILES}
    unfound = [
        f"{path.relative_to(TESTS)} imports {name}"
        for path in FILES
        for name in imported(path)
        if name in homes and homes[name] not in {path.parent, *always}
    ]
    assert not unfound


def test_file_names_occur_once():
    """Without packages, pytest takes two files of one name for the same module."""
    names = Counter(path.name for path in FILES if path.name != "conftest.py")
    assert not [name for name, times in names.items() if times > 1]
