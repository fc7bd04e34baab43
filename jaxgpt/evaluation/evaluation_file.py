"""An evaluation read back from the file that `Evaluation.write_json` wrote."""

from pathlib import Path
from typing import Any

from jaxgpt.core import foreign
from jaxgpt.core.wording import one_line
from jaxgpt.evaluation.evaluation import LARGEST, Errors, Evaluation, Likelihood, Mistake, NotAsked, Row
from jaxgpt.evaluation.intervals import Estimate, proportion


def read(path: Path) -> Evaluation:
    """The evaluation in a file; a null is a number that was not finite, or too large.

    Raises:
      ValueError: if the file holds something else.
    """
    data = foreign.read_json(path)
    try:
        return _evaluation(data)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        why = f"{path} is not an evaluation ({error!r}); delete it and have the run evaluated again"
        raise ValueError(one_line(why)) from error


def _evaluation(data: dict[str, Any]) -> Evaluation:
    seeds = _count(data["seeds"])
    overall = data | {"group": "all", "in_distribution": True}
    baseline = data.get("baseline_bits_per_byte")
    return Evaluation(
        _text(data["split"]),
        seeds,
        None if data["exact_match"] is None else _row(overall, seeds),
        groups=tuple(_row(row, seeds) for row in data["groups"]),
        headings=tuple(_row(row, seeds) for row in data["headings"]),
        summary=_estimates(data.get("summary", {}), seeds),
        summary_of_real_text=_numbers(data.get("summary_of_real_text", {})),
        likelihood={_text(name): _likelihood(part, seeds) for name, part in data["likelihood"].items()},
        baseline_bits_per_byte=None if baseline is None else _number(baseline),
        not_asked=tuple(map(_not_asked, data.get("not_asked", ()))),
        mistakes=tuple(map(_mistake, data.get("mistakes", ()))),
        asked=_count(data.get("asked", 0)),
        trained_on=_count(data.get("trained_on", 0)),
        samples=tuple(map(_text, data.get("samples", ()))),
        task=dict(data.get("task", {})),
        errors=None if data.get("errors") is None else _errors(data["errors"], seeds),
        yardsticks=_numbers(data.get("yardsticks", {})),
        no_value={_text(name): _text(reason) for name, reason in data.get("no_value", {}).items()},
    )


def _row(data: dict[str, Any], seeds: int) -> Row:
    values = _per_seed(data, seeds)
    if not all(0 <= value <= 1 for value in values):  # nor is a null
        raise TypeError("an exact match that is no share")
    n, scores = _count(data["n"]), _estimates(data.get("scores", {}), seeds)
    if not n:
        raise TypeError("a row without questions")
    return Row(_text(data["group"]), proportion(values, n), n, _flag(data["in_distribution"]), scores)


def _errors(data: dict[str, Any], seeds: int) -> Errors:
    places = tuple(_row(row, seeds) for row in data["places"])
    facets = {_text(name): tuple(_row(row, seeds) for row in rows) for name, rows in data["facets"].items()}
    wrong = {_text(one["kind"]): tuple(map(_count, one["counts"])) for one in data["wrong"]}
    if len(wrong) < len(data["wrong"]) or any(len(counts) != seeds for counts in wrong.values()):
        raise TypeError(f"kinds of wrong answers that repeat, or have no {seeds} counts")
    return Errors(places, facets, wrong)


def _likelihood(data: dict[str, Any], seeds: int) -> Likelihood:
    loss, bits = (_estimate(data[name], seeds) for name in ("loss", "bits_per_byte"))
    return Likelihood(loss, bits, _count(data["tokens"]), _count(data["bytes"]))


def _not_asked(data: dict[str, Any]) -> NotAsked:
    inside = _flag(data["in_distribution"])
    return NotAsked(_text(data["group"]), _count(data["n"]), _text(data["reason"]), inside)


def _mistake(data: dict[str, Any]) -> Mistake:
    texts = ("group", "prompt", "target", "completion", "expected", "answered")
    return Mistake(*(_text(data[name]) for name in texts), _numbers(data["scores"]))


def _estimates(data: dict[str, Any], seeds: int) -> dict[str, Estimate]:
    return {_text(name): _estimate(value, seeds) for name, value in data.items()}


def _estimate(data: dict[str, Any], seeds: int) -> Estimate:
    interval = data["interval"]
    if interval is not None:
        low, high = interval
        interval = (_number(low), _number(high))
    return Estimate(_number(data["mean"]), interval, _per_seed(data, seeds))


def _per_seed(data: dict[str, Any], seeds: int) -> tuple[float, ...]:
    values = data["per_seed"]
    if type(values) is not list or len(values) != seeds:
        raise TypeError(f"per_seed without {seeds} figures")
    return tuple(map(_number, values))


def _numbers(data: dict[str, Any]) -> dict[str, float]:
    return {_text(name): _number(value) for name, value in data.items()}


def _number(value: Any) -> float:
    if value is None:
        return float("nan")
    if type(value) not in (int, float) or not abs(value) < LARGEST:
        raise TypeError("a figure that is none")
    return float(value)


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise TypeError("a count that is none")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("a name that is no text")
    return value


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError("in_distribution that is neither true nor false")
    return value
