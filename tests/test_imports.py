"""The import rule, read from the syntax tree, and what `import jaxgpt` may cost.

    {fields} < {nn, tokenizers, task} < {models} < {objectives, data, generation, training.sharding}
      < {training, evaluation, experiment} < {cli and what comes later}

A module imports from its own part or from lower layers. Of one layer's parts, nn, tokenizers and task do
not import each other. Tasks import jaxgpt; jaxgpt reaches a task only through its dotted name.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: Part -> layer. The longest name that a module starts with decides; what is not listed is the top layer.
LAYERS = {
    "jaxgpt.choice": 0,
    "jaxgpt.foreign": 0,
    "jaxgpt.trust": 0,
    "jaxgpt.fields": 0,
    "jaxgpt.settings": 0,
    "jaxgpt.hints": 0,
    "jaxgpt.locks": 0,
    "jaxgpt.paths": 0,
    "jaxgpt.printing": 0,
    "jaxgpt.searching": 0,
    "jaxgpt.wording": 0,
    "jaxgpt.nn": 1,
    "jaxgpt.tokenizers": 1,
    "jaxgpt.task": 1,
    "jaxgpt.noise": 1,
    "jaxgpt.models": 2,
    # Descriptions without code: whoever reads an experiment may import them.
    "jaxgpt.training.config": 2,
    "jaxgpt.experiment": 3,
    "jaxgpt.objectives": 3,
    "jaxgpt.masking": 3,
    "jaxgpt.data": 3,
    # Reading and telling files: a task may be told to keep the questions of one out of training.
    "jaxgpt.data.unpacking": 0,
    "jaxgpt.data.lines": 0,
    "jaxgpt.data.textfile": 0,
    "jaxgpt.data.json_objects": 0,
    "jaxgpt.data.question_file": 0,
    "jaxgpt.data.fingerprints": 0,
    "jaxgpt.generation": 3,
    "jaxgpt.training.sharding": 3,
    "jaxgpt.training": 4,
    "jaxgpt.evaluation": 4,
    "jaxgpt.huggingface": 4,
    "jaxgpt.data.command": 5,
    "jaxgpt.huggingface.command": 5,
    "jaxgpt.evaluation.command": 5,
}
TOP = 5
APART = {"jaxgpt.nn", "jaxgpt.tokenizers", "jaxgpt.task"}


def part_of(module: str) -> str:
    """The part of the library that a module belongs to."""
    owners = [part for part in LAYERS if module == part or module.startswith(part + ".")]
    return max(owners, key=len, default=module)


def imports(source: str, module: str, *, package: bool = False) -> list[tuple[int, str]]:
    """(line, module) for every import in a source, wherever it stands; names of modules in full."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                own = module.split(".") if package else module.split(".")[:-1]
                base = ".".join(own[: len(own) - node.level + 1] + ([base] if base else []))
            # `from jaxgpt import models` imports a module; `from jaxgpt.nn.mask import causal` a name of one,
            # which part_of reads alike.
            found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
    return found


def violations(source: str, module: str, *, package: bool = False) -> list[str]:
    """What a module imports against the rule, one line each."""
    found = []
    part, layer = part_of(module), LAYERS.get(part_of(module), TOP)
    for line, name in imports(source, module, package=package):
        where = f"{module}:{line} imports {name}"
        if name.split(".")[0] == "tasks":
            found.append(f"{where}; a task is reached through its dotted name alone")
        if name.split(".")[0] != "jaxgpt":
            continue
        other = part_of(name)
        if other == part:
            continue
        if LAYERS.get(other, TOP) > layer and (other in LAYERS or layer < TOP) and module != "jaxgpt":
            found.append(f"{where}; {part} is below {other}")
        if {part, other} <= APART:
            found.append(f"{where}; {part} and {other} stand apart")
    return found


def modules():
    for path in sorted((ROOT / "jaxgpt").rglob("*.py")):
        names = path.relative_to(ROOT).with_suffix("").parts
        package = names[-1] == "__init__"
        yield ".".join(names[:-1] if package else names), path, package


def test_the_library_keeps_the_rule():
    found = [
        line
        for module, path, package in modules()
        for line in violations(path.read_text(encoding="utf-8"), module, package=package)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("jaxgpt.nn.mlp", "import jaxgpt.models.config"),
        ("jaxgpt.nn.mlp", "from jaxgpt.models import ModelConfig"),
        ("jaxgpt.nn.mlp", "from jaxgpt import models"),
        ("jaxgpt.nn.mlp", "from ..models import config"),
        ("jaxgpt.nn.mlp", "def late():\n    from jaxgpt.training.loop import train"),
        ("jaxgpt.nn.position.base", "from jaxgpt.tokenizers import base"),
        ("jaxgpt.task", "from jaxgpt.nn.mask import causal"),
        ("jaxgpt.tokenizers.bpe", "from jaxgpt.task import Task"),
        ("jaxgpt.fields", "from jaxgpt.nn.tap import Tap"),
        ("jaxgpt.models.stack", "from jaxgpt.data import rows"),
        ("jaxgpt.models.stack", "from jaxgpt.experiment import Experiment"),
        ("jaxgpt.data.rows", "from jaxgpt.training.state import State"),
        ("jaxgpt.training.sharding", "from jaxgpt.training.loop import train"),
        ("jaxgpt.training.loop", "import jaxgpt.cli"),
        ("jaxgpt.training.loop", "from jaxgpt.something_new import thing"),
        ("jaxgpt.cli", "from tasks.arithmetic import task"),
        ("jaxgpt.cli", "import tasks"),
    ],
)
def test_a_violation_is_found(module, source):
    assert len(violations(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("jaxgpt.nn.mlp", "from jaxgpt.nn.linear import Linear\nfrom .tap import Tap\nimport jax"),
        ("jaxgpt.nn.position.base", "from jaxgpt.choice import Choice"),
        ("jaxgpt.models.stack", "from jaxgpt.nn import mask"),
        ("jaxgpt.experiment", "from jaxgpt.training.config import TrainingConfig"),
        (
            "jaxgpt.data.rows",
            "from jaxgpt.training.sharding import rules\nfrom jaxgpt.experiment import Experiment",
        ),
        ("jaxgpt.training.loop", "from jaxgpt.training.sharding import rules\nfrom jaxgpt import data"),
        ("jaxgpt.cli", "from jaxgpt.training.loop import train\nfrom jaxgpt.something_new import thing"),
        ("jaxgpt", "from jaxgpt.models import ModelConfig"),
    ],
)
def test_what_the_rule_allows_passes(module, source):
    assert not violations(source, module)


def test_tasks_do_not_import_what_runs_them():
    for path in sorted((ROOT / "tasks").rglob("*.py")):
        names = [name for _, name in imports(path.read_text(encoding="utf-8"), "tasks.x")]
        assert not [n for n in names if n.startswith("jaxgpt.cli")], path


HEAVY = ["tensorflow_datasets", "grain", "tensorflow", "torch", "matplotlib", "orbax"]
PROBE = f"""
import json, os, sys
import jaxgpt
times = os.times()
print(json.dumps([times.user + times.system, [m for m in {HEAVY} if m in sys.modules]]))
"""


def test_importing_the_library_is_quick_and_light():
    seconds, loaded = [], []
    for _ in range(3):  # processor time, the best of three: other load must not fail the test
        run = subprocess.run(
            [sys.executable, "-c", PROBE],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "JAX_PLATFORMS": "cpu"},
        )
        time, heavy = json.loads(run.stdout.splitlines()[-1])
        seconds.append(time)
        loaded += heavy
        if time < 1.0:
            break
    assert not loaded
    assert min(seconds) < 1.0
