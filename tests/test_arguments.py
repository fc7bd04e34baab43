"""How many arguments a function takes, read from the syntax tree."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST = 10


def long_calls(source: str) -> list[tuple[str, int]]:
    """(name, number) of every function and method that takes too many arguments, `self` and `cls` apart.

    The constructor that a dataclass has without writing it is a description and does not count.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            names = [arg.arg for arg in given if arg.arg not in ("self", "cls")]
            if len(names) > MOST:
                found.append((node.name, len(names)))
    return found


def test_no_call_takes_more_than_ten_arguments():
    found = [
        f"{path.relative_to(ROOT)}: {name} takes {count}"
        for folder in ("jaxgpt", "tasks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name, count in long_calls(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


def test_an_eleventh_is_found():
    names = ", ".join(f"a{i}" for i in range(MOST))
    assert not long_calls(f"class A:\n    def __init__(self, {names}): ...")
    assert long_calls(f"class A:\n    def __init__(self, {names}, *, b): ...") == [("__init__", MOST + 1)]
