"""Write configuration.md and api.md from the code: `python docs/generate.py`.

`--check` writes nothing and fails if a committed file differs.
"""

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent

#: The modules that users import from or extend, in reading order.
MODULES = (
    "jaxgpt.runs.run",
    "jaxgpt.task",
    "jaxgpt.training.experiment",
    "jaxgpt.runs.experiments",
    "jaxgpt.core.choice",
    "jaxgpt.core.fields",
    "jaxgpt.tokenizers",
    "jaxgpt.tokenizers.tokenizer",
    "jaxgpt.models.config",
    "jaxgpt.models.transformer",
    "jaxgpt.models.mixers.base",
    "jaxgpt.models.state_stack",
    "jaxgpt.models.presets",
    "jaxgpt.data.tokenizing",
    "jaxgpt.data.corpus",
    "jaxgpt.nn.tap",
    "jaxgpt.nn.attention.masks",
    "jaxgpt.nn.attention.cache",
    "jaxgpt.nn.position.base",
    "jaxgpt.objectives",
    "jaxgpt.training.training_config",
    "jaxgpt.training.optimizers.base",
    "jaxgpt.training.optimizers.adamw",
    "jaxgpt.training.optimizers.muon",
    "jaxgpt.runs.session",
    "jaxgpt.training.trainer",
    "jaxgpt.generation.decode",
    "jaxgpt.generation.sampling",
    "jaxgpt.generation.completing",
    "jaxgpt.generation.beam",
    "jaxgpt.evaluation.scoring",
    "jaxgpt.evaluation.scoring_options",
    "jaxgpt.evaluation.evaluation",
    "jaxgpt.evaluation.intervals",
    "jaxgpt.evaluation.likelihood",
    "jaxgpt.comparison.comparing",
    "jaxgpt.comparison.results",
    "jaxgpt.huggingface.load",
    "jaxgpt.huggingface.save",
    "jaxgpt.huggingface.family",
    "jaxgpt.huggingface.tensors",
)

_WRITTEN = "<!-- Written by docs/generate.py; change the code and run it again. -->"


def configuration() -> str:
    """The configuration reference."""
    from jaxgpt.cli import commands
    from jaxgpt.generation import Sampling
    from jaxgpt.models import ModelConfig, presets
    from jaxgpt.models.mixers import Mixer
    from jaxgpt.nn.position import Position
    from jaxgpt.runs import experiments
    from jaxgpt.task import Task
    from jaxgpt.tokenizers import Tokenizer
    from jaxgpt.training.optimizers import Optimizer
    from jaxgpt.training.training_config import TrainingConfig

    lines = [
        "# Configuration",
        "",
        _WRITTEN,
        "",
        "Every field below is an option of `train.py`; hyphens and underscores are the same. The defaults",
        "are those of the classes; an experiment sets its own, and `python train.py EXPERIMENT --help` shows",
        "them.",
        "`none` stands for no value. A list is written with commas, `12,15,20`. An option that names a whole",
        "part (`--model small`, `--model.position rotary`) takes effect before those inside it",
        "(`--model.d-model 96`).",
        "",
        "The same fields make up `experiment.json` in a run directory.",
        "",
    ]
    lines += ["## Commands", ""]
    for name, (words, _) in commands.COMMANDS.items():
        script = name if name in ("train", "evaluate") else ""
        command = f"python {script}.py {words}" if script else f"jaxgpt {name} {words}"
        lines += [f"`{command}`:", "", *_option_table(commands.module(name).parser(), common=False), ""]
    lines += ["Each of them:", "", *_option_table(commands.module("train").parser(), common=True), ""]
    lines += ["## Experiments", "", *_table(("name", "what is learned", "needs", "time"))]
    for name, function in experiments.available().items():
        needs, time = experiments.needs(function), experiments.takes(function)
        lines.append(_row(f"`{name.replace('_', '-')}`", _first(function), needs, time))
    lines += ["", "`package.module:function` names an experiment that lives anywhere else.", ""]

    lines += ["## Tokenizers", "", "`--tokenizer NAME`, or the path of a file or folder that holds one.", ""]
    lines += _table(("how it is written", "what it does"))
    for name in Tokenizer.names():
        member = Tokenizer.named(name)
        lines.append(_row(f"`{member.usage}`", _first(member)))
    lines += ["", "`package.module:Class[:ARGUMENT...]` names one that lives anywhere else.", ""]

    lines += ["## Tasks", "", "The experiment chooses the task, and `--task.FIELD` its settings.", ""]
    for name in Task.names():
        lines += _section(f"Task `{name}`", Task.named(name), "task.")

    lines += ["## Model", "", "`--model PRESET` replaces all of it; the fields then change the preset.", ""]
    lines += _table(("preset", "what it is"))
    lines += [_row(f"`{n.replace('_', '-')}`", _first(f)) for n, f in presets.functions().items()]
    lines += ["", "`package.module:function`, annotated `-> ModelConfig`, names a preset of your own.", ""]
    outside = [row for row in _fields(ModelConfig()) if not row[0].startswith("position.")]
    lines += [*_field_table(outside, "model."), ""]
    lines += ["### Position schemes", "", "`--model.position NAME`, and its fields:", ""]
    for name in Position.names():
        lines += _section(f"Position scheme `{name}`", Position.named(name), "model.position.", level=4)

    lines += ["### Mixers", "", "`--model.mixer NAME`, and its fields:", ""]
    for name in Mixer.names():
        lines += _section(f"Mixer `{name}`", Mixer.named(name), "model.mixer.", level=4)

    lines += ["## Optimizers", "", "`--optimizer NAME`, and its fields:", ""]
    for name in Optimizer.names():
        lines += _section(f"Optimizer `{name}`", Optimizer.named(name), "optimizer.")
    lines += ["## Training", "", *_field_table(_fields(TrainingConfig()), "training."), ""]
    seeds = ("seeds", "int", 1, "replicas trained together, each from its own seed")
    lines += ["## Seeds", "", *_field_table([seeds], ""), ""]
    lines += ["## Sampling", "", "Options of `jaxgpt generate`, and fields of `jaxgpt.Sampling`.", ""]
    lines += _field_table(_fields(Sampling()), "")
    return "\n".join(lines) + "\n"


def _option_table(parser: Any, *, common: bool) -> list[str]:
    """The options of a command's parser: its own, or those of every command."""
    from jaxgpt.cli.options import COMMON

    rows = []
    for group in parser._action_groups:
        for action in group._group_actions:
            if not action.option_strings or (group.title == COMMON) != common:
                continue
            name = f"`{action.option_strings[0]}" + (f" {action.metavar}`" if action.metavar else "`")
            text = action.help.removesuffix(" (default: %(default)s)")
            default = "" if action.default in (None, False, []) else f"{action.default}"
            rows.append(_row(name, default, text))
    return [*_table(("option", "default", "meaning")), *rows] if rows else ["No options."]


def _section(title: str, cls: type, prefix: str, level: int = 3) -> list[str]:
    rows = _fields(cls())
    table = _field_table(rows, prefix) if rows else ["No fields."]
    return [f"{'#' * level} {title}", "", _first(cls), "", *table, ""]


def _fields(config: Any) -> list[tuple[str, str, Any, str]]:
    from jaxgpt.core.fields import describe

    return [(row.path, row.type, row.value, row.help) for row in describe(config)]


def _field_table(rows: Iterable[tuple[str, str, Any, str]], prefix: str) -> list[str]:
    lines = _table(("option", "type", "default", "meaning"))
    for path, kind, value, text in rows:
        option = f"`--{(prefix + path).replace('_', '-')}`"
        lines.append(_row(option, f"`{kind}`", _value(value), text))
    return lines


def _value(value: Any) -> str:
    """A default as it would be typed."""
    if value is None:
        return "none"
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    if isinstance(value, bool):
        value = str(value).lower()
    return f"`{value}`" if value != "" else ""


def _table(names: tuple[str, ...]) -> list[str]:
    return [_row(*names), "|" + " --- |" * len(names)]


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _first(described: Any) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(described) or "").split("\n\n")[0].split())


def api() -> str:
    """The API reference, read from the source without importing it."""
    lines = [
        "# API reference",
        "",
        _WRITTEN,
        "",
        "Shapes: B batch, T query time, S key time, D model, H heads, K head dim, F feed-forward and",
        "V vocabulary.",
        "",
        "`import jaxgpt` gives these names, each loaded when it is first used:",
        "",
        *(f"- `jaxgpt.{name}`, from `{home}`" for name, home in _public()),
        "",
    ]
    for module in MODULES:
        tree = ast.parse(_source(module).read_text(encoding="utf-8"))
        lines += [f"## {module}", "", *_docstring(tree)]
        for node in tree.body:
            lines += _documented(node, "")
    return "\n".join(lines).rstrip("\n") + "\n"


def _public() -> list[tuple[str, str]]:
    tree = ast.parse(_source("jaxgpt").read_text(encoding="utf-8"))
    homes = next(n.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "_HOME")
    return sorted(ast.literal_eval(homes).items())


def _source(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _documented(node: ast.stmt, inside: str) -> Iterator[str]:
    """The lines about a class or function; none about what is private or has no docstring."""
    kinds = ast.ClassDef | ast.FunctionDef
    if not isinstance(node, kinds) or node.name.startswith("_") or not ast.get_docstring(node):
        return
    name = f"{inside}.{node.name}" if inside else node.name
    yield f"{'####' if inside else '###'} {name}"
    yield ""
    yield from ("```text", *_signature(node), "```", "")
    yield from _docstring(node)
    if isinstance(node, ast.ClassDef):
        for child in node.body:
            yield from _documented(child, name)


def _signature(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        marks = [f"@{ast.unparse(d)}" for d in node.decorator_list]
        returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        whole = f"def {node.name}({ast.unparse(node.args)}){returned}"
        if len(whole) <= 100:
            return [*marks, whole]
        return [*marks, f"def {node.name}(", *_arguments(node.args), f"){returned}"]
    bases = [ast.unparse(base) for base in node.bases]
    head = f"class {node.name}" + (f"({', '.join(bases)})" if bases else "")
    fields = [child for child in node.body if isinstance(child, ast.AnnAssign)]
    init = next((c for c in node.body if isinstance(c, ast.FunctionDef) and c.name == "__init__"), None)
    if init is not None:
        call = f"{node.name}({ast.unparse(init.args).removeprefix('self, ').removeprefix('self')})"
        return [head, call]
    return [head, *(line for child in fields for line in _field(child))]


def _arguments(arguments: ast.arguments) -> list[str]:
    """One argument a line."""
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    lines = [_argument(a, d) for a, d in zip(positional, defaults, strict=True)]
    if arguments.vararg or arguments.kwonlyargs:
        lines.append("*" + (ast.unparse(arguments.vararg) if arguments.vararg else ""))
    lines += [_argument(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    if arguments.kwarg:
        lines.append("**" + ast.unparse(arguments.kwarg))
    return [f"    {line}," for line in lines]


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    equals = " = " if argument.annotation else "="
    return ast.unparse(argument) + (equals + ast.unparse(default) if default is not None else "")


def _field(node: ast.AnnAssign) -> list[str]:
    """A field of a class: its type and default, and the help that `Annotated` holds as a comment."""
    kind, comment = node.annotation, ""
    if isinstance(kind, ast.Subscript) and ast.unparse(kind.value) == "Annotated":
        kind, note = kind.slice.elts[:2]
        comment = f"  # {ast.literal_eval(note)}" if isinstance(note, ast.Constant) else ""
    name = ast.unparse(node.target)
    if name.startswith("_"):
        return []
    default = f" = {ast.unparse(node.value)}" if node.value is not None else ""
    return [f"    {name}: {ast.unparse(kind)}{default}{comment}"]


def _docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> list[str]:
    """The docstring; sections such as `Args:` and other indented parts as they stand."""
    lines, fenced = [], False
    for line in (ast.get_docstring(node) or "").split("\n"):
        apart = line.startswith((" ", "\t")) or (
            line.rstrip() in ("Args:", "Attributes:", "Raises:", "Returns:")
        )
        if apart and not fenced:
            lines += ["", "```text"] if lines and lines[-1] else ["```text"]
            fenced = True
        elif fenced and line and not apart:
            while not lines[-1]:
                lines.pop()
            lines += ["```", ""]
            fenced = False
        lines.append(line.rstrip())
    if fenced:
        lines.append("```")
    return [*lines, ""]


def main(arguments: list[str]) -> int:
    """Write both files, or with `--check` compare them."""
    sys.path.insert(0, str(ROOT))
    stale = []
    for name, written in (("configuration.md", configuration()), ("api.md", api())):
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != written:
            stale.append(name)
            if "--check" not in arguments:
                path.write_text(written, encoding="utf-8")
    if "--check" in arguments and stale:
        print(f"not up to date: {', '.join(stale)}; run python docs/generate.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
