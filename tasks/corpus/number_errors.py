"""How far answers that are numbers lie from the right ones."""

import math
import statistics
from collections.abc import Sequence

from jaxgpt.evaluation.number_measures import read_number
from jaxgpt.task import Share


def measure_errors(answers: Sequence[tuple[str, str]]) -> dict[str, float | Share]:
    """Errors over the (target, answer) pairs whose target is a number; empty where none is.

    `numeric_answers`: the share of those answers that are numbers. `absolute_error` and `relative_error` are
    means over them, and medians beside, which one wild answer does not move; relative to the target, without
    targets of 0.
    """
    numeric = [(read_number(target), read_number(answer)) for target, answer in answers]
    numeric = [(target, answer) for target, answer in numeric if target is not None]
    if not numeric:
        return {}
    read = [(target, answer) for target, answer in numeric if answer is not None]
    found: dict[str, float | Share] = {"numeric_answers": Share(len(read) / len(numeric), len(numeric))}
    absolute = [abs(answer - target) for target, answer in read]
    relative = [error / abs(target) for (target, _), error in zip(read, absolute, strict=True) if target]
    for name, errors in (("absolute_error", absolute), ("relative_error", relative)):
        found[name] = sum(errors) / len(errors) if errors else math.nan
        found[f"median_{name}"] = statistics.median(errors) if errors else math.nan
    return found
