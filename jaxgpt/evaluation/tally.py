"""From scores of single answers to the rows of a table."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from jaxgpt.evaluation.evaluation import NotAsked, Row
from jaxgpt.evaluation.intervals import Estimate, mean_score, proportion, scaled, student_t
from jaxgpt.evaluation.questions import Question
from jaxgpt.task import Share, Task

Scores = dict[str, np.ndarray]  # each [seeds, questions]

UNNAMED = "(no group)"


def score(task: Task, questions: Sequence[Question], completions: Sequence[Sequence[str]]) -> Scores:
    """Every score of every seed's completion of every question.

    Raises:
      ValueError: if the task's scores have no `exact_match`, or a name is missing from some.
    """
    per_seed = [
        [task.score(question.example, text) for question, text in zip(questions, texts, strict=True)]
        for texts in completions
    ]
    names = list(per_seed[0][0])
    for one in (one for scores in per_seed for one in scores):
        if "exact_match" not in one or set(one) != set(names):
            raise ValueError(
                f"{type(task).__name__}.score gives {sorted(one)}; it must give the same names for every "
                "answer, exact_match among them"
            )
    return {name: np.asarray([[one[name] for one in s] for s in per_seed], np.float64) for name in names}


def row(group: str, scores: Scores, which: Sequence[int], in_distribution: bool = True) -> Row:
    """The row of the questions with these indices."""
    columns = np.asarray(which)
    exact = proportion(scores["exact_match"][:, columns].mean(axis=1).tolist(), len(columns))
    others = {name: mean_score(s[:, columns]) for name, s in scores.items() if name != "exact_match"}
    return Row(group, exact, len(columns), in_distribution, others)


def groups(questions: Sequence[Question], scores: Scores) -> tuple[Row, ...]:
    """A row a group, those like what was trained on first, in the order of their names."""
    members = defaultdict(list)
    for index, (example, in_distribution) in enumerate(questions):
        members[not in_distribution, example.group or UNNAMED].append(index)
    return tuple(row(name, scores, members[out, name], not out) for out, name in sorted(members))


def headings(task: Task, questions: Sequence[Question], scores: Scores) -> tuple[Row, ...]:
    """A row for each of the task's headings, over the questions like what was trained on."""
    members = defaultdict(list)
    for index, (example, in_distribution) in enumerate(questions):
        if in_distribution:
            for heading in task.headings(example):
                members[heading].append(index)
    return tuple(row(name, scores, members[name]) for name in sorted(members))


def not_asked(questions: Sequence[Question], reasons: Sequence[str]) -> tuple[NotAsked, ...]:
    """The questions that have a reason not to be asked, counted by group."""
    found = defaultdict(list)
    for (example, in_distribution), reason in zip(questions, reasons, strict=True):
        if reason:
            found[not in_distribution, example.group or UNNAMED].append(reason)
    return tuple(NotAsked(name, len(r), r[0], not out) for (out, name), r in sorted(found.items()))


def combine(
    summaries: Sequence[dict[str, float | Share]], limit: Callable[[str], float] = lambda name: math.inf
) -> dict[str, Estimate]:
    """The seeds' summaries as one; a number that some seed's summary leaves out is 0 there.

    A share of nothing is no value (NaN), and counts neither in the mean nor in the interval: of a seed
    without a valid square, none is novel and none is copied. One share alone has Wilson's interval of its n.

    Args:
      limit: the largest possible value of a measure by its name, as `Task.summary_limit` gives it; no
        interval leaves it.
    """
    combined = {}
    for name in dict.fromkeys(name for summary in summaries for name in summary):
        found = [summary.get(name) for summary in summaries]
        shares = [value for value in found if isinstance(value, Share)]
        if shares:
            combined[name] = _shares(
                [value if isinstance(value, Share) else Share(0.0, 0) for value in found]
            )
        else:
            values = [float(value or 0.0) for value in found]
            least = 0.0 if min(values) >= 0 else -math.inf
            interval = student_t(values, bounds=(least, limit(name)))
            combined[name] = Estimate(float(np.mean(values)), interval, tuple(values))
    return combined


def why_no_value(task: Task, summary: dict[str, Estimate]) -> dict[str, str]:
    """Of the measures that are no value for any seed, the reasons that the task knows."""
    empty = [name for name, estimate in summary.items() if math.isnan(estimate.mean)]
    return {name: task.empty_shares[name] for name in empty if name in task.empty_shares}


def _shares(found: Sequence[Share]) -> Estimate:
    per_seed = tuple(float(share.value) if share.n else math.nan for share in found)
    known = [share for share in found if share.n]
    if not known:
        return Estimate(math.nan, None, per_seed)
    estimate = proportion([share.value for share in known], min(share.n for share in known))
    return scaled(estimate._replace(per_seed=per_seed), known[0].per)
