"""What an evaluation found, as a value with a JSON form."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from jaxgpt.core.paths import expanded
from jaxgpt.core.writing import write_atomically
from jaxgpt.evaluation.intervals import Estimate, Interval, bounded_mean, proportion
from jaxgpt.evaluation.table import table

#: No figure of an evaluation is as large: its square could not be computed with.
LARGEST = 1e100


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the table: the questions of a group, or of a heading that gathers several.

    Attributes:
      group: its name; `all` for the headline.
      exact_match: share of right answers, mean over seeds.
      n: questions, which every seed answered.
      in_distribution: whether they are like what was trained on.
      scores: the task's other scores by name.
    """

    group: str
    exact_match: Estimate
    n: int
    in_distribution: bool = True
    scores: dict[str, Estimate] = dataclasses.field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The row as JSON values."""
        return {
            "group": self.group,
            "exact_match": self.exact_match.mean,
            "interval": self.exact_match.interval,
            "n": self.n,
            "in_distribution": self.in_distribution,
            "per_seed": self.exact_match.per_seed,
            "scores": {name: score._asdict() for name, score in self.scores.items()},
        }


@dataclasses.dataclass(frozen=True)
class NotAsked:
    """Questions of one group that the model has no room for; `reason` is that of the first."""

    group: str
    n: int
    reason: str
    in_distribution: bool


@dataclasses.dataclass(frozen=True)
class Mistake:
    """A wrong answer of the first seed.

    Attributes:
      expected: the target in ordinary notation.
      answered: the completion in ordinary notation, as it stands where it cannot be read.
    """

    group: str
    prompt: str
    target: str
    completion: str
    expected: str
    answered: str
    scores: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """How well text is predicted.

    Attributes:
      loss: nats a predicted token, the ends of texts among them, as in training.
      bits_per_byte: of the text alone, without its ends; comparable between tokenizers.
      tokens: predicted ones.
      bytes: of the text in UTF-8.
    """

    loss: Estimate
    bits_per_byte: Estimate
    tokens: int
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """The likelihood as JSON values."""
        return {
            "loss": self.loss._asdict(),
            "bits_per_byte": self.bits_per_byte._asdict(),
            "tokens": self.tokens,
            "bytes": self.bytes,
        }


@dataclasses.dataclass(frozen=True)
class Errors:
    """Where answers are wrong and how, over the questions like those trained on that the task can diagnose.

    Attributes:
      places: a row a place of the answer, ones first: the share of right digits, over the questions whose
        right answer has that place.
      facets: by the name of a facet, a row a value of it: exact match of the questions that have it.
      wrong: wrong answers of each kind, one count a seed, in the task's order. [kind][R]
    """

    places: tuple[Row, ...]
    facets: dict[str, tuple[Row, ...]]
    wrong: dict[str, tuple[int, ...]]

    @property
    def wrong_answers(self) -> tuple[int, ...]:
        """All wrong answers of each seed; empty where the task names no kind. [R]"""
        return tuple(map(sum, zip(*self.wrong.values(), strict=True)))

    def shares(self, kind: str) -> tuple[float | None, ...]:
        """The share of a kind among each seed's wrong answers; None for a seed without one. [R]"""
        counts = zip(self.wrong[kind], self.wrong_answers, strict=True)
        return tuple(count / among if among else None for count, among in counts)

    def share(self, kind: str) -> Estimate | None:
        """The mean of `shares` over the seeds that have one; None if none has.

        Several seeds: `bounded_mean`. A lone seed: Wilson's interval over its wrong answers. Of several seeds
        of which one alone has a wrong answer, no interval.
        """
        found = tuple(share for share in self.shares(kind) if share is not None)
        if not found:
            return None
        if len(self.wrong_answers) == 1:
            return proportion(found, self.wrong_answers[0])
        return Estimate(sum(found) / len(found), bounded_mean(found) if len(found) > 1 else None, found)

    def to_json(self) -> dict[str, Any]:
        """JSON values: each kind with its counts, from which the rest follows, and with its share."""
        wrong = []
        for kind, counts in self.wrong.items():
            share = self.share(kind)
            about = (None, None) if share is None else (share.mean, share.interval)
            wrong.append(
                {"kind": kind, "counts": counts, "share": about[0], "interval": about[1]}
                | {"per_seed": self.shares(kind)}
            )
        return {
            "places": [row.to_json() for row in self.places],
            "facets": {name: [row.to_json() for row in rows] for name, rows in self.facets.items()},
            "wrong": wrong,
        }


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The whole of what `evaluate` found.

    Attributes:
      overall: the headline, over questions like those trained on; None if none could be asked.
      seeds: models that answered.
      groups: every question counts in one of them.
      headings: gather the groups in other ways, see `Task.headings`.
      summary: the task's measures of a whole set of completions.
      no_value: why a measure has none, where that is known, by its name.
      summary_of_real_text: the same for held-out text of equal length, where the task writes text.
      likelihood: of the parts `held_out` and `train`, equal in size.
      baseline_bits_per_byte: of a 5-gram model of the training text, on the held-out text.
      trained_on: of the `asked` questions, those that were among the training examples.
      samples: texts of the first seed, where the task writes text.
      task: the settings under which the questions were asked, such as the shots before them.
      errors: where answers are wrong and how; None where the task has no diagnosis.
      yardsticks: what the task's figures are held against, such as what chance gives.
    """

    split: str
    seeds: int
    overall: Row | None
    groups: tuple[Row, ...] = ()
    headings: tuple[Row, ...] = ()
    summary: dict[str, Estimate] = dataclasses.field(default_factory=dict)
    summary_of_real_text: dict[str, float] = dataclasses.field(default_factory=dict)
    likelihood: dict[str, Likelihood] = dataclasses.field(default_factory=dict)
    baseline_bits_per_byte: float | None = None
    not_asked: tuple[NotAsked, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    asked: int = 0
    trained_on: int = 0
    samples: tuple[str, ...] = ()
    task: dict[str, Any] = dataclasses.field(default_factory=dict)
    errors: Errors | None = None
    yardsticks: dict[str, float] = dataclasses.field(default_factory=dict)
    no_value: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def exact_match(self) -> float | None:
        return None if self.overall is None else self.overall.exact_match.mean

    @property
    def interval(self) -> Interval | None:
        return None if self.overall is None else self.overall.exact_match.interval

    @property
    def n(self) -> int:
        return 0 if self.overall is None else self.overall.n

    @property
    def per_seed(self) -> tuple[float, ...]:
        return () if self.overall is None else self.overall.exact_match.per_seed

    @property
    def scores(self) -> dict[str, Estimate]:
        return {} if self.overall is None else self.overall.scores

    def to_json(self) -> dict[str, Any]:
        """JSON values; a number that is not finite, or has `LARGEST` or more, becomes null."""
        return _plain(
            {
                "exact_match": self.exact_match,
                "interval": self.interval,
                "n": self.n,
                "seeds": self.seeds,
                "per_seed": self.per_seed,
                "split": self.split,
                "scores": {name: score._asdict() for name, score in self.scores.items()},
                "groups": [row.to_json() for row in self.groups],
                "headings": [row.to_json() for row in self.headings],
                "summary": {name: value._asdict() for name, value in self.summary.items()},
                "summary_of_real_text": self.summary_of_real_text,
                "likelihood": {name: part.to_json() for name, part in self.likelihood.items()},
                "baseline_bits_per_byte": self.baseline_bits_per_byte,
                "not_asked": [dataclasses.asdict(entry) for entry in self.not_asked],
                "mistakes": [dataclasses.asdict(mistake) for mistake in self.mistakes],
                "asked": self.asked,
                "trained_on": self.trained_on,
                "samples": self.samples,
                "task": self.task,
                "errors": None if self.errors is None else self.errors.to_json(),
                "yardsticks": self.yardsticks,
                "no_value": self.no_value,
            }
        )

    def write_json(self, path: Path | str) -> None:
        """Writes `to_json` so that a reader finds the whole file or none of it."""
        path = expanded(path)
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomically(path, text)

    def table(self) -> str:
        """The results as plain text of at most 100 columns."""
        return table(self)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return float(value) if abs(value) < LARGEST else None
    return value
