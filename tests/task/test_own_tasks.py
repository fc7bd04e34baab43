"""A module or folder of the user that is called `tasks`: names work, or a line says what hides them."""

import os
import subprocess
import sys

import pytest
from tiny_runs import REPOSITORY, one_line, run

FIND = """
from jaxgpt.runs import experiments
from jaxgpt.task import Task
experiment = experiments.find("addition")
print(type(experiment.task).kind(), "mine" in Task.names(), "mine" in experiments.available())
"""


def python(folder, code):
    """What Python code prints, run in a folder whose modules it finds first."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout.splitlines() if done.returncode == 0 else done.stderr


@pytest.mark.parametrize(
    ("files", "before"),
    [
        ({"tasks.py": "mine = 1"}, "import tasks"),
        pytest.param({"tasks.py": "import no_such_module"}, "", marks=pytest.mark.thorough),
        pytest.param({"tasks/notes.txt": ""}, "", marks=pytest.mark.thorough),
        pytest.param({"tasks/mine.py": "raise ImportError"}, "", marks=pytest.mark.thorough),
        pytest.param(
            {"tasks/__init__.py": "", "tasks/mine.py": "raise ImportError"}, "", marks=pytest.mark.thorough
        ),
        ({"tasks/__init__.py": "mine = 1", "tasks/other.py": ""}, "import tasks"),
    ],
    ids=["module", "broken module", "folder", "folder of modules", "package not imported", "package"],
)
def test_short_names_are_found_whatever_else_is_called_tasks(tmp_path, files, before):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    after = "assert tasks.mine == 1" if before == "import tasks" else ""
    assert python(tmp_path, f"{before}\n{FIND}\n{after}") == ["arithmetic False False"]


@pytest.mark.thorough
def test_what_hides_them_is_named(tmp_path):
    (tmp_path / "tasks.py").write_text("def text():\n    return 1\n")
    errors = python(tmp_path, f"import tasks\n{FIND}")
    line = errors.splitlines()[-1]
    assert "tasks.py hides jaxgpt's own tasks: text stand in both" in line


@pytest.mark.thorough
def test_commands_in_such_a_folder(tmp_path, finished_run):
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").write_text("raise ImportError('not meant for jaxgpt')\n")
    (tmp_path / "tasks" / "mine.py").write_text("")
    load = f"import jaxgpt; print(jaxgpt.load({str(finished_run)!r}).experiment.tokenizer)"
    assert python(tmp_path, load) == ["digits"]
    status, output, errors = run("generate", finished_run, "--prompt", "1+1", cwd=tmp_path)
    assert status == 0 and output.strip().isdecimal(), errors
    assert "usage: " in python(tmp_path, _script("evaluate.py", "--help"))[0]
    errors = python(tmp_path, _script("train.py", "tasks.mine:x"))
    assert "tasks is jaxgpt's own package, so call a folder of yours otherwise" in one_line(errors)


def _script(name, *words):
    """Code that runs a script of the repository."""
    path = str(REPOSITORY / name)
    return f"import runpy, sys; sys.argv = {[path, *words]!r}; runpy.run_path({path!r}, run_name='__main__')"
