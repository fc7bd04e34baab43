"""An evaluation as plain text of at most 100 columns."""

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jaxgpt.core.tables import columns
from jaxgpt.core.wording import visible
from jaxgpt.evaluation.intervals import Estimate, Interval

if TYPE_CHECKING:
    from jaxgpt.evaluation.evaluation import Evaluation, Mistake, Row

_WIDTH = 100
_NAME = 34
#: Of why a measure is no value, behind its name.
_REASON = 54
#: With more groups than this, headings stand for them, or the worst of them do.
_MOST_GROUPS = 20
_WORST = 10


def table(evaluation: "Evaluation") -> str:
    """Rows, measures, yardsticks, kinds of wrong answers, what was not asked, the first mistakes."""
    parts = [
        _answers(evaluation),
        _likelihood(evaluation),
        _measures(evaluation),
        _yardsticks(evaluation),
        _errors(evaluation),
        _not_asked(evaluation),
        mistakes(evaluation.mistakes),
    ]
    return "\n\n".join(part for part in parts if part)


def _answers(evaluation: "Evaluation") -> str:
    inside = [row for row in evaluation.groups if row.in_distribution]
    outside = [row for row in evaluation.groups if not row.in_distribution]
    lines = [_header(evaluation)]
    if evaluation.overall is not None:
        lines.append(_row(evaluation.overall))
    lines += map(_row, evaluation.headings)
    if 1 < len(inside) <= _MOST_GROUPS:
        lines += map(_row, inside)
    elif len(inside) > _MOST_GROUPS:
        note = f"  {len(inside)} groups are in evaluation.json"
        if not evaluation.headings:
            lines += map(_row, sorted(inside, key=lambda row: row.exact_match.mean)[:_WORST])
            note = f"  the {_WORST} lowest of {len(inside)} groups; all are in evaluation.json"
        lines.append(note)
    if outside:
        lines.append("beyond what was trained on, not part of `all`")
        lines += map(_row, outside)
    if evaluation.overall is None:
        lines.append("no held-out question was asked")
    elif evaluation.seeds > 1:
        shown = " ".join(f"{value:.4f}" for value in evaluation.per_seed)
        lines += textwrap.wrap(f"each seed: {shown}", _WIDTH, subsequent_indent=" " * 11)
        lines.append(f"intervals: of the mean over other seeds, from these {evaluation.seeds}")
    if evaluation.trained_on:
        lines.append(
            f"{evaluation.trained_on:,} of {evaluation.asked:,} questions were among the training examples"
        )
    return "\n".join(lines)


def _header(evaluation: "Evaluation") -> str:
    return f"{evaluation.split + ' questions':{_NAME}}  exact match    95 % interval  {'n':>9}"


def _row(row: "Row") -> str:
    return _line(row.group, row.exact_match.mean, row.exact_match.interval, row.n)


def _line(name: str, mean: float, interval: Interval | None, n: int) -> str:
    return f"{_short(name, _NAME):{_NAME}}  {mean:11.4f}  {_interval(interval):>15}  {n:9,}"


def _likelihood(evaluation: "Evaluation") -> str:
    parts = evaluation.likelihood
    if not parts:
        return ""
    names = {"held_out": "held out", "train": "training text"}
    heads = [names.get(name, name) for name in parts]
    lines = [f"{'likelihood':{_NAME}}  " + "".join(f"{head:<31}" for head in heads).rstrip()]
    for label, field in (("loss, nats a token", "loss"), ("bits per byte", "bits_per_byte")):
        cells = (_estimate(getattr(part, field)) for part in parts.values())
        lines.append(f"{label:{_NAME}}  " + "".join(f"{cell:<31}" for cell in cells).rstrip())
    if evaluation.baseline_bits_per_byte is not None:
        lines.append(f"{'bits per byte of a 5-gram model':{_NAME}}  {evaluation.baseline_bits_per_byte:.4f}")
    sizes = (f"{part.tokens:,} tokens, {part.bytes:,} bytes" for part in parts.values())
    lines.append(f"{'size':{_NAME}}  " + "".join(f"{size:<31}" for size in sizes).rstrip())
    return "\n".join(lines)


def _measures(evaluation: "Evaluation") -> str:
    lines = [_measure(name, score) for name, score in evaluation.scores.items()]
    for name, value in evaluation.summary.items():
        real = evaluation.summary_of_real_text.get(name)
        beside = "" if real is None else f"{real:.4f}"
        line = f"{_measure(name, value):<{_NAME + 33}}{beside}".rstrip()
        reason = evaluation.no_value.get(name)
        lines.append(f"{line}: {_short(reason, _REASON)}" if reason else line)
    if lines:
        beside = "held-out text of equal length" if evaluation.summary_of_real_text else ""
        head = f"{'measures':{_NAME}}  mean"
        lines.insert(0, f"{head:<{_NAME + 33}}{beside}".rstrip())
    return "\n".join(lines)


def _measure(name: str, value: Estimate) -> str:
    return f"{_short(name, _NAME):{_NAME}}  {_estimate(value)}"


def _yardsticks(evaluation: "Evaluation") -> str:
    if not evaluation.yardsticks:
        return ""
    lines = [f"{_short(name, _NAME):{_NAME}}  {value:.4g}" for name, value in evaluation.yardsticks.items()]
    return "\n".join(["to compare with", *lines])


def _errors(evaluation: "Evaluation") -> str:
    """Each kind of wrong answer with its share, then exact match by each facet; "" where all is right."""
    errors = evaluation.errors
    among = () if errors is None else errors.wrong_answers
    if not sum(among):
        return ""
    lines = [f"{f'{sum(among):,} wrong answers':{_NAME}}        share    95 % interval  {'n':>9}"]
    for kind, counts in errors.wrong.items():
        if sum(counts):
            share = errors.share(kind)
            lines.append(_line(kind, share.mean, share.interval, sum(counts)))
    for facet, rows in errors.facets.items():
        if 1 < len(rows) <= _MOST_GROUPS:
            lines += [f"by {facet}", *map(_row, rows)]
    return "\n".join(lines)


def _not_asked(evaluation: "Evaluation") -> str:
    if not evaluation.not_asked:
        return ""
    lines = [f"not asked, with the first reason: {sum(entry.n for entry in evaluation.not_asked):,}"]
    for entry in evaluation.not_asked[:_WORST]:
        line = f"  {_short(entry.group, _WIDTH)}: {entry.n:,}, {visible(entry.reason)}"
        lines += textwrap.wrap(line, _WIDTH, subsequent_indent="    ")
    if len(evaluation.not_asked) > _WORST:
        lines.append(f"  and {len(evaluation.not_asked) - _WORST} more groups; all are in evaluation.json")
    return "\n".join(lines)


def mistakes(found: "Sequence[Mistake]") -> str:
    """The prompts of wrong answers with what was expected and what came, a line each; "" for none."""
    if not found:
        return ""
    rows = []
    for mistake in found:
        if mistake.expected != mistake.answered:
            expected, answered = mistake.expected, mistake.answered
        else:  # they read the same and are not: show them as they stand
            expected, answered = repr(mistake.target), repr(mistake.completion)
        # The end of a prompt is nearest to the answer.
        prompt = visible(mistake.prompt)
        prompt = prompt if len(prompt) <= 40 else "..." + prompt[-37:]
        rows.append((f"  {prompt}", f"expected {_short(expected, 24)}", f"got {_short(answered, 24)}"))
    return "\n".join(["first mistakes", *columns(rows, left=(0, 1, 2))])


def _estimate(estimate: Estimate) -> str:
    interval = estimate.interval
    if math.isnan(estimate.mean):
        return "no value"
    return f"{estimate.mean:.4f}" + ("" if interval is None else f" ({_interval(interval)})")


def _interval(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval[0]:.4f}-{interval[1]:.4f}"


def _short(text: str, width: int) -> str:
    text = visible(text)
    return text if len(text) <= width else text[: width - 3] + "..."
