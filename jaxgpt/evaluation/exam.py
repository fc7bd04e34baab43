"""Questions that others published, asked as the task at hand words them, and scored as others score them."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxgpt.core.paths import expanded
from jaxgpt.core.tables import columns
from jaxgpt.core.wording import in_file, quoted, visible
from jaxgpt.core.writing import write_atomically
from jaxgpt.evaluation.intervals import Estimate, mean_score, proportion
from jaxgpt.evaluation.number_measures import log_smape, read_decimal, read_number
from jaxgpt.evaluation.questions import Question, count_trained_on, obstacles
from jaxgpt.evaluation.scoring import Counting, Progress, answers
from jaxgpt.evaluation.scoring_options import TrainedOn
from jaxgpt.evaluation.tally import UNNAMED
from jaxgpt.evaluation.wording_template import Template, reworded
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.inferred import inferred
from jaxgpt.task import Example, Task
from jaxgpt.task.question_file import read_answered, read_lines
from jaxgpt.tokenizers.tokenizer import Tokenizer

_MOST_GROUPS = 20
_MOST_MISTAKES = 10


@dataclasses.dataclass(frozen=True)
class Asked:
    """A question of an exam.

    Attributes:
      question, answer: as the file has them.
      example: the same question in the wording of the task at hand.
    """

    question: str
    answer: str
    example: Example


@dataclasses.dataclass(frozen=True)
class Result:
    """How one candidate did on all questions.

    Attributes:
      name: `this run`, or of whom the answers were published.
      exact_match: share of right answers.
      log_smape: mean of `log_smape`; None where some answer of the exam is no number.
    """

    name: str
    exact_match: Estimate
    log_smape: Estimate | None

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        smape = None if self.log_smape is None else self.log_smape._asdict()
        return {"name": self.name, "exact_match": self.exact_match._asdict(), "log_smape": smape}


@dataclasses.dataclass(frozen=True)
class Examined:
    """What an exam found.

    Attributes:
      questions: all of the file; those that could not be asked count as wrong.
      results: of the run, then of each published set of answers.
      not_asked: how many the model has no room for, and the reason of the first.
      trained_on: questions that were among the training examples.
      groups: of the run, by the task's groups, where there are several: name, questions, share of right ones.
      no_number: the first answer of the file that is no number that a float holds, so that there is no log
        sMAPE; None if each is one.
      answered: each question with its answer and what every model answered, in ordinary notation.
    """

    questions: int
    results: tuple[Result, ...]
    not_asked: tuple[int, str]
    trained_on: int
    groups: tuple[tuple[str, int, Estimate], ...]
    no_number: str | None
    answered: tuple[tuple[str, str, tuple[str, ...]], ...]

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        rows = [{"question": q, "answer": a, "answered": given} for q, a, given in self.answered]
        count, reason = self.not_asked
        return {
            "questions": self.questions,
            "results": [result.to_json() for result in self.results],
            "not_asked": {"n": count, "reason": reason},
            "trained_on": self.trained_on,
            "no_number": self.no_number,
            "groups": [{"group": name, "n": n, **about._asdict()} for name, n, about in self.groups],
            "answered": rows,
        }

    def write_json(self, path: Path | str) -> None:
        """Writes `to_json` so that a reader finds the whole file or none of it."""
        text = json.dumps(self.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomically(expanded(path), text)

    def table(self) -> str:
        """A row a candidate, then what is to be known of the questions."""
        smape = self.no_number is None
        rows = [(f"{self.questions:,} questions", "exact match", "95 %", *(("log sMAPE", "95 %") * smape))]
        groups = [
            (f"  {visible(name)}, {count:,}", *_shown(share), *["", ""] * smape)
            for name, count, share in (self.groups if len(self.groups) <= _MOST_GROUPS else ())
        ]
        for result in self.results:
            cells = [_shown(result.exact_match), *(_shown(result.log_smape) if smape else ())]
            rows.append((visible(result.name), *cells[0], *cells[1:]))
            rows += groups
            groups = []  # they are the run's, which comes first
        lines = columns(rows)
        if self.no_number is not None:
            kind = "no number" if read_decimal(self.no_number) is None else "too large a number"
            lines.append(f"no log sMAPE: the answer {quoted(self.no_number)} is {kind}")
        if self.not_asked[0]:
            lines.append(f"{self.not_asked[0]:,} were not asked and count as wrong: {self.not_asked[1]}")
        if self.trained_on:
            lines.append(f"{self.trained_on:,} were among the training examples")
        wrong = [(q, a, given[0]) for q, a, given in self.answered if not is_right(a, given[0])]
        if wrong:
            shown = [
                (visible(q)[-40:], f"expected {visible(a)[:24]}", f"got {visible(g)[:24]}")
                for q, a, g in wrong
            ]
            lines += ["first mistakes", *columns(shown[:_MOST_MISTAKES], left=(0, 1, 2))]
        return "\n".join(lines)


def read_exam(path: str, task: Task, templates: Sequence[Template] = ()) -> list[Asked]:
    """The questions of a file (see jaxgpt/task/question_file.py) as the task words them.

    Without templates the task reads each as a person would type it.

    Raises:
      ValueError: if the file cannot be read, a line has no answer, fits no template, or is no question of the
        task; one line that names the file, the line and what was expected.
    """
    found = []
    for where, question, answer in read_answered(path):
        try:
            found.append(Asked(question, answer, task.typed(reworded(question, templates))))
        except ValueError as error:
            way_out = "" if templates else "; --template 'THEIRS => OURS' says how to read others' wording"
            raise ValueError(in_file(path, f"{where}: {error}{way_out}")) from error
    return found


def read_published(path: str, questions: int) -> list[str]:
    """The answers that others gave to the questions of an exam, in their order, a line each.

    An empty line is no answer.

    Raises:
      ValueError: unless there are as many as questions.
    """
    lines = read_lines(path)
    if len(lines) != questions:
        raise ValueError(in_file(path, f"holds {len(lines):,} of {questions:,} answers; write one a line"))
    return lines


def examine(
    models: Sequence[Transformer],
    tokenizer: Tokenizer,
    task: Task,
    questions: Sequence[Asked],
    *,
    published: dict[str, Sequence[str]] | None = None,
    trained_on: TrainedOn = TrainedOn(),  # noqa: B008 - frozen
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Examined:
    """Ask every question, also one that stands twice, and score the answers beside published ones.

        questions = jaxgpt.read_exam("sums.tsv", run.task)
        jaxgpt.examine(run.models, run.tokenizer, run.task, questions).table()

    An answer is right if it is the file's, letter by letter, or the same number written otherwise. A
    question that the model has no room for counts as wrong.

    Args:
      models: replicas of one configuration, one a seed.
      published: a name -> the answer of that candidate to each question.
      trained_on: what tells which questions were trained on, and how the model answers.
      batch_size: prompts answered together; None leaves it to `complete`.
      progress: called with (answers done, answers in all).

    Raises:
      ValueError: without a model or a question.
    """
    if not models or not questions:
        raise ValueError(f"give at least one {'question' if models else 'model'}")
    objective = trained_on.objective or inferred(models[0].config)
    examples = [
        question.example
        if question.example.target
        else dataclasses.replace(question.example, target=question.answer)
        for question in questions
    ]
    reasons = obstacles(models[0], tokenizer, examples, objective)
    possible = [index for index, reason in enumerate(reasons) if not reason]
    asked = [Question(examples[index]) for index in possible]
    counter = Counting(progress, len(models) * len(asked))
    completions = answers(models, tokenizer, task, asked, objective, batch_size, counter)
    given = [[""] * len(questions) for _ in models]
    for one, texts in zip(given, completions, strict=True):
        for index, text in zip(possible, texts, strict=True):
            one[index] = task.answer(examples[index].prompt, text)
    right = [question.answer for question in questions]
    no_number = next((answer for answer in right if read_number(answer) is None), None)
    results = [_result("this run", right, given, smape=no_number is None)]
    for name, texts in (published or {}).items():
        results.append(_result(name, right, [list(texts)], smape=no_number is None))
    missed = [reason for reason in reasons if reason]
    return Examined(
        len(questions),
        tuple(results),
        (len(missed), missed[0] if missed else ""),
        count_trained_on(asked, trained_on.examples or (), trained_on.task),
        _groups(questions, given),
        no_number,
        tuple(
            (question.question, question.answer, texts)
            for question, texts in zip(questions, zip(*given, strict=True), strict=True)
        ),
    )


def is_right(answer: str, given: str) -> bool:
    """Whether an answer is the right one, letter by letter, or as the same number."""
    if answer.strip() == given.strip():
        return True
    number = read_decimal(answer)
    return number is not None and number == read_decimal(given)


def _result(name: str, right: Sequence[str], given: Sequence[Sequence[str]], *, smape: bool) -> Result:
    exact = [[is_right(a, g) for a, g in zip(right, one, strict=True)] for one in given]
    close = None
    if smape:
        found = [
            [log_smape(read_number(a), read_number(g)) for a, g in zip(right, one, strict=True)]
            for one in given
        ]
        close = mean_score(np.asarray(found))
    return Result(name, proportion(np.mean(exact, axis=1).tolist(), len(right)), close)


def _groups(
    questions: Sequence[Asked], given: Sequence[Sequence[str]]
) -> tuple[tuple[str, int, Estimate], ...]:
    members: dict[str, list[int]] = {}
    for index, question in enumerate(questions):
        members.setdefault(question.example.group, []).append(index)
    if len(members) == 1:
        return ()
    found = []
    for name in sorted(members):
        which = members[name]
        right = [[is_right(questions[i].answer, one[i]) for i in which] for one in given]
        found.append((name or UNNAMED, len(which), proportion(np.mean(right, axis=1).tolist(), len(which))))
    return tuple(found)


def _shown(estimate: Estimate) -> tuple[str, str]:
    low_high = "" if estimate.interval is None else "{:.4f}-{:.4f}".format(*estimate.interval)
    return f"{estimate.mean:.4f}", low_high
