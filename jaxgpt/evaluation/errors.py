"""From the diagnoses of single answers to where a model is wrong, and how."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from jaxgpt.core.wording import quoted
from jaxgpt.evaluation.evaluation import Errors, Row
from jaxgpt.evaluation.intervals import proportion
from jaxgpt.evaluation.questions import Question
from jaxgpt.evaluation.tally import Scores, row
from jaxgpt.task import Diagnosis, Task

#: Seed, kind, group, measure, value and n of a row of a CSV.
Figure = tuple[int, str, str, str, float | None, int]


def diagnose(
    task: Task, questions: Sequence[Question], completions: Sequence[Sequence[str]], scores: Scores
) -> Errors | None:
    """What the task's diagnoses of every seed's answers come to; None if it gives none.

    Questions unlike those trained on are left out, and so are those of which the task cannot say.

    Raises:
      ValueError: if a diagnosis and the score of an answer do not agree, a kind is not among the task's
        `wrong_kinds`, or the answers of two seeds to one question have other places or facets.
    """
    seeds = range(len(completions))
    order: list[str] = []
    asked, right, wrong = Counter(), [Counter() for _ in seeds], [Counter() for _ in seeds]
    facets: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, (example, in_distribution) in enumerate(questions):
        each = [task.diagnose(example, texts[index]) for texts in completions] if in_distribution else [None]
        if None in each:
            continue
        _check(task, example.prompt, each, scores["exact_match"][:, index])
        order = max(order, list(each[0].places), key=len)  # the ones first, what is no digit last
        asked.update(list(each[0].places))
        for facet, value in each[0].facets.items():
            facets[facet][value].append(index)
        for seed, diagnosis in enumerate(each):
            right[seed].update(name for name, is_right in diagnosis.places.items() if is_right)
            wrong[seed][diagnosis.wrong] += 1
    if not any(wrong):
        return None
    names = dict.fromkeys([*order, *asked])
    return Errors(
        tuple(_place(name, [count[name] for count in right], asked[name]) for name in names),
        {facet: _facet(members, scores) for facet, members in facets.items()},
        {kind: tuple(count[kind] for count in wrong) for kind in task.wrong_kinds},
    )


def figures(errors: Errors, first: int) -> Iterator[Figure]:
    """Every figure of every seed, as a comparison's CSV has it; `first` is the first seed."""
    rows = [("place", one.group, "right", one) for one in errors.places]
    for facet, members in errors.facets.items():
        rows += [("facet", f"{facet} {one.group}", "exact_match", one) for one in members]
    for kind, group, measure, one in rows:
        for seed, value in enumerate(one.exact_match.per_seed, first):
            yield seed, kind, group, measure, value, one.n
    for kind in errors.wrong:
        shares = zip(errors.shares(kind), errors.wrong_answers, strict=True)
        for seed, (value, among) in enumerate(shares, first):
            yield seed, "wrong", kind, "share", value, among


def _check(task: Task, prompt: str, each: Sequence[Diagnosis], exact: np.ndarray) -> None:
    for diagnosis, score in zip(each, exact, strict=True):
        problem = ""
        if (score < 1) != bool(diagnosis.wrong):
            problem = f"wrong={quoted(diagnosis.wrong)} where score has exact_match {score:g}"
        elif diagnosis.wrong and diagnosis.wrong not in task.wrong_kinds:
            problem = f"wrong={quoted(diagnosis.wrong)}, which is not among its wrong_kinds"
        elif list(diagnosis.places) != list(each[0].places) or diagnosis.facets != each[0].facets:
            problem = "other places or facets for another answer; both must follow from the question alone"
        if problem:
            raise ValueError(f"{type(task).__name__}.diagnose gives, for {quoted(prompt)}, {problem}")


def _place(name: str, right: list[int], n: int) -> Row:
    """The share of right digits in one place, from their number in each seed's answers."""
    return Row(name, proportion([count / n for count in right], n), n)


def _facet(members: dict[str, list[int]], scores: Scores) -> tuple[Row, ...]:
    """Exact match by value: numbers by their size, then the others by name."""
    exact = {"exact_match": scores["exact_match"]}
    return tuple(row(value, exact, members[value]) for value in sorted(members, key=by_size))


def by_size(value: str) -> tuple[bool, int, str]:
    """The key that sorts values of a facet: numbers by their size, then the others by name."""
    number = value.isdecimal() and len(value) < 10
    return not number, int(value) if number else 0, value
