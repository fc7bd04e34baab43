"""What a comparison varies: axes such as `model.position=coupled,rotary`, and the cells of their product."""

import dataclasses
import itertools
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jaxgpt.core.choice import Choice
from jaxgpt.core.usage import UsageError
from jaxgpt.core.wording import shown
from jaxgpt.runs import run_weights
from jaxgpt.training import start
from jaxgpt.training.experiment import Experiment

#: Text by dotted path, such as {"tokenizer": "digits:3:right"}.
Values = Mapping[str, str]
#: Fields beside the optimizer's that a sweep may try.
SWEPT = ("model.dropout", "model.attention.dropout", "model.init_std", "model.residual_init")


@dataclasses.dataclass(frozen=True)
class Axis:
    """A field and the values it takes, as text in the order given."""

    path: str
    values: tuple[str, ...]

    @property
    def of_sizes(self) -> bool:
        """Whether it varies the blocks and the width of the model alone, as `model=2x64,4x128` does."""
        return self.path == "model" and all(map(start.is_size, self.values))

    @property
    def fields(self) -> tuple[str, ...]:
        """Dotted paths of the fields that it sets."""
        return start.SIZE_FIELDS if self.of_sizes else (self.path,)

    @classmethod
    def from_text(cls, option: str, text: str) -> "Axis":
        """`PATH=VALUE,VALUE,...`, as it follows an option.

        Raises:
          UsageError: if it has another form, or names a value twice.
        """
        path, equals, values = text.partition("=")
        path = path.strip().lstrip("-").replace("-", "_")
        if not equals or not path or "" in map(str.strip, values.split(",")):
            raise UsageError(
                f"--{option} {text}: PATH=VALUE,VALUE,... is needed, such as model.position=rotary,none"
            )
        return cls._of(path, values, f"--{option} {path}")

    @classmethod
    def of_tokenizers(cls, text: str) -> "Axis":
        """`NAME,NAME,...`, as it follows --tokenizers.

        Raises:
          UsageError: if a name is empty, or stands twice.
        """
        if "" in map(str.strip, text.split(",")):
            raise UsageError(f"--tokenizers {text}: NAME,NAME,... is needed, such as digits,digits:3:right")
        return cls._of("tokenizer", text, "--tokenizers")

    @classmethod
    def of_values(cls, path: str, values: Sequence[Any]) -> "Axis":
        """Values as in Python, `{"model.position": ["rotary", None]}`, or as text.

        Raises:
          ValueError: if they are no list, or one is named twice or has no text.
        """
        path = path.replace("-", "_")
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise ValueError(f"{path}={shown(values)}: give a list of the values to compare")
        return cls._checked(path, tuple(as_text(path, value) for value in values), path)

    @classmethod
    def _of(cls, path: str, values: str, option: str) -> "Axis":
        return cls._checked(path, tuple(value.strip() for value in values.split(",")), option)

    @classmethod
    def _checked(cls, path: str, values: tuple[str, ...], option: str) -> "Axis":
        axis = cls(path, values)
        twice = next((value for value in axis.values if axis.values.count(value) > 1), None)
        if twice is not None:
            raise UsageError(f"{option}: the value {twice} is named twice; leave one out")
        return axis


def as_text(path: str, value: Any) -> str:
    """A value as the command line takes it; ValueError if it cannot be written there."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, numbers.Real):
        return str(value)
    if isinstance(value, tuple | list):
        return ",".join(as_text(path, part) for part in value)
    if isinstance(value, Choice) and value == type(value)():
        return type(value).kind()
    raise ValueError(
        f"{path}={shown(value)} cannot be written in one word; name its kind, such as 'rotary', and compare "
        f"its own fields as {path}.FIELD"
    )


def check_varied(varied: Sequence[Axis]) -> None:
    """Raises UsageError for seeds and steps: seeds pair the differences, and a budget sets the steps."""
    for axis in varied:
        if axis.path in ("training.steps", "training.epochs"):
            raise UsageError(
                f"--vary {axis.path}: every cell trains as long, on as many examples or for as many FLOPs; "
                "learning curves show fewer steps, and --training.steps trains all cells longer"
            )
        if axis.path in ("seeds", "training.seed"):
            raise UsageError(
                f"--vary {axis.path}: every cell has the same seeds, since differences are paired by seed; "
                "--seeds 4 trains each with four"
            )


def check_values(experiment: Experiment, varied: Sequence[Axis], sweep: Sequence[Axis]) -> None:
    """Raises ValueError for an unknown field, or a value that does not fit in a cell, before it is built."""
    for values in combinations(varied):
        cell = apply(experiment, values)
        for axis in sweep:
            for value in axis.values:
                apply(cell, {axis.path: value})
    check_varied(varied)
    check_sweep(sweep)


def check_sweep(sweep: Sequence[Axis]) -> None:
    """Raises UsageError for a field that changes what a run costs, or what it is asked."""
    for axis in sweep:
        if axis.path.partition(".")[0] != "optimizer" and axis.path not in SWEPT:
            raise UsageError(
                f"--sweep {axis.path}: every option of a sweep has the same data, model and budget, so it "
                f"takes optimizer, optimizer.* and {', '.join(SWEPT)}; --vary compares any field"
            )


def check_apart(axes: Sequence[Axis], given: Iterable[str]) -> None:
    """Raises UsageError if a field is varied twice, or varied and given one value as well."""
    paths = [axis.path for axis in axes]
    for path in paths:
        if paths.count(path) > 1:
            raise UsageError(f"{path} is varied twice; name all of its values at once")
        option = path.replace("_", "-")
        if path in {name.replace("-", "_") for name in given}:
            raise UsageError(f"{path} is varied, so --{option} cannot have one value; leave it out")


def combinations(axes: Sequence[Axis]) -> list[dict[str, str]]:
    """Every cell of the product, the last axis changing fastest; one empty cell without axes."""
    products = itertools.product(*(axis.values for axis in axes))
    return [dict(zip((axis.path for axis in axes), values, strict=True)) for values in products]


def apply(experiment: Experiment, values: Values) -> Experiment:
    """The experiment with these values.

    A value that is the present member of a family, such as `coupled` where the position scheme is coupled,
    leaves it with its own settings.

    Raises:
      FieldError: for a field that does not exist, or a value that does not fit.
    """
    kept = {path: text for path, text in values.items() if not _is_present(experiment, path, text)}
    return run_weights.override(experiment, kept)


def _is_present(experiment: Experiment, path: str, text: str) -> bool:
    value = experiment
    for name in path.split("."):
        value = getattr(value, name, None)
    return isinstance(value, Choice) and type(value).kind() == text.replace("-", "_")


def label(values: Values) -> str:
    """A cell's name in tables: its values, a path by its last part."""
    return " / ".join(_short(text) for text in values.values())


def slug(values: Values) -> str:
    """A cell's name as a folder; `cell` for a value without a letter or digit of ASCII."""
    kept = (re.sub(r"[^A-Za-z0-9.+]+", "-", _short(text)).strip("-.") for text in values.values())
    return "_".join(text or "cell" for text in kept)


def _short(text: str) -> str:
    """A value without the folders on the way to a directory: `subset:gpt2` for `subset:../data/gpt2/`."""
    return re.sub(r"[^:]*/", "", text.rstrip("/"))


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, or `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
