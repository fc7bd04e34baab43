"""The formats by name, and which settings of the task go together."""

from typing import TYPE_CHECKING

from tasks.arithmetic.formats import (
    Decomposition,
    Format,
    Indexed,
    OnesFirst,
    Padded,
    Partial,
    Plain,
    Reversed,
)
from tasks.arithmetic.laws import MOST_DIGITS
from tasks.arithmetic.notation import SYMBOLS
from tasks.arithmetic.scratchpads import Scratchpad, SimplifiedScratchpad
from tasks.arithmetic.steps import Steps

if TYPE_CHECKING:
    from tasks.arithmetic.task import Arithmetic

FORMATS: dict[str, Format] = {
    "plain": Plain(),
    "reversed": Reversed(),
    "padded": Padded(),
    "ones_first": OnesFirst(),
    "indexed": Indexed(),
    "steps": Steps(),
    "scratchpad": Scratchpad(),
    "scratchpad_simple": SimplifiedScratchpad(),
    "partial": Partial(),
    "decomposition": Decomposition(""),
    "decomposition_spaced": Decomposition(" "),
}


def check(task: "Arithmetic") -> None:
    """Raise a ValueError if settings do not go together; it holds the values and the way out."""
    if not 1 <= task.min_digits <= task.max_digits:
        raise ValueError(
            f"min_digits={task.min_digits} must be at least 1 and at most max_digits={task.max_digits}"
        )
    _check_format(task)
    _check_law(task)
    _check_lengths(task)


def _check_format(task: "Arithmetic") -> None:
    symbol, form = SYMBOLS[task.operation], FORMATS[task.format]
    if symbol not in (form.symbols or "+"):
        others = [name for name, other in FORMATS.items() if symbol in other.symbols]
        raise ValueError(
            f"format={task.format} does not go with operation={task.operation}; "
            f"use format={', '.join(others[:-1])} or {others[-1]}"
        )
    if task.operands < 2:
        raise ValueError(f"operands={task.operands} must be at least 2")
    if task.operands > 2 and (form.operands or symbol != "+"):
        others = [name for name, other in FORMATS.items() if not other.operands]
        raise ValueError(
            f"operands={task.operands} does not go with operation={task.operation}, format={task.format}; "
            f"use operation=addition with format={', '.join(others[:-1])} or {others[-1]}"
        )


def _check_law(task: "Arithmetic") -> None:
    is_sum = task.operation == "addition" and FORMATS[task.format].symbols
    if task.law == "balanced_carries" and not (is_sum and task.operands == 2):
        raise ValueError(
            "law=balanced_carries counts the carries of two operands, which operation="
            f"{task.operation}, format={task.format}, operands={task.operands} does not have; use law=digits"
        )
    if task.law == "balanced_carries" and task.max_digits > MOST_DIGITS:
        raise ValueError(
            f"max_digits={task.max_digits} must be at most {MOST_DIGITS:,} with law=balanced_carries; "
            "use law=digits for longer operands"
        )
    if not task.min_difference:
        return
    most = task.max_digits - task.min_digits if FORMATS[task.format].symbols else 0
    if not 0 <= task.min_difference <= most:
        raise ValueError(f"min_difference={task.min_difference} must be at least 0 and at most {most} here")
    if task.law not in ("digits", "log_uniform"):
        raise ValueError(
            f"min_difference={task.min_difference} needs lengths that are drawn on their own, "
            f"not law={task.law}; use law=digits or log_uniform"
        )


def _check_lengths(task: "Arithmetic") -> None:
    for name in ("extra_digits", "validation_digits"):
        for digits in getattr(task, name):
            if digits <= task.max_digits:
                raise ValueError(
                    f"{name}={digits} must be above max_digits={task.max_digits}, which is trained on"
                )
    both = sorted({*task.extra_digits} & {*task.validation_digits})
    if both:
        raise ValueError(
            f"validation_digits and extra_digits share {', '.join(map(str, both))}: a length that chooses "
            "the checkpoint is no test of it; take it out of one of them"
        )
