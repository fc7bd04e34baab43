"""Scores models on a task's held-out questions."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from jaxgpt.core.fields import to_json
from jaxgpt.evaluation import errors, tally
from jaxgpt.evaluation import text_measures as text
from jaxgpt.evaluation.evaluation import Evaluation, Mistake
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.evaluation.likelihood import row_likelihoods
from jaxgpt.evaluation.questions import Question, count_trained_on, distinct, obstacles, select
from jaxgpt.evaluation.scoring_options import Kept, TrainedOn
from jaxgpt.generation import Sampling
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.asking import Asking
from jaxgpt.objectives.base import Objective
from jaxgpt.objectives.inferred import inferred
from jaxgpt.task import Example, Split, Task
from jaxgpt.task.example_list import first_shuffled
from jaxgpt.tokenizers.tokenizer import Tokenizer

Progress = Callable[[int, int], None]

#: Training examples drawn for a task's summary where none are given.
TRAINING_EXAMPLES = 100_000
#: Answers written together.
_ROWS = 64


def evaluate(
    models: Sequence[Transformer],
    tokenizer: Tokenizer,
    task: Task,
    *,
    split: Split = "test",
    n: int = 1000,
    n_extra: int = 300,
    trained_on: TrainedOn = TrainedOn(),  # noqa: B008 - frozen
    kept: Kept = Kept(),  # noqa: B008 - frozen
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Exact match by group, likelihood of held-out and training text, and the task's own measures.

        jaxgpt.evaluate(run.models, run.tokenizer, run.task, trained_on=run.trained_on, n=500).table()

    Every question is answered by every model, at the task's `temperature`, which is 0 unless it says
    otherwise, as its objective predicts; an encoder is told how many tokens an answer has. Questions
    beyond those trained on (a task's `extra_questions`) have rows of their own and no part in the headline. A
    question that the model has no room for is counted as not asked, with the reason.

    Args:
      models: replicas of one configuration, one a seed.
      n: different questions of the split; fewer are asked where it has fewer, unless texts are written from
        nothing.
      n_extra: of the task's `extra_questions`.
      trained_on: examples, objective and seed of the training; a run's own are `Run.trained_on`.
      kept: how many mistakes and samples, and where a picture of the answers goes.
      batch_size: prompts answered together; None leaves it to `complete`.
      progress: called with (answers done, answers in all).

    Raises:
      ValueError: without a model, for n < 1, or what the task or the generation raises.
    """
    if not models:
        raise ValueError("models=[]: give at least one model")
    if n < 1:
        raise ValueError(f"n={n} must be at least 1")
    objective = trained_on.objective or inferred(models[0].config)
    writes_text = task.layout == "stream" and objective.next_token
    data_seed, training = trained_on.data_seed, trained_on.examples
    questions = select(task, split, n=n, n_extra=n_extra, data_seed=data_seed)
    reasons = obstacles(models[0], tokenizer, [question.example for question in questions], objective)
    asked = [question for question, reason in zip(questions, reasons, strict=True) if not reason]
    prompts = []
    if writes_text and kept.samples:
        prompts = text.sample_prompts(models[0], tokenizer, task, objective)
    samples_a_prompt = -(-kept.samples // max(len(prompts), 1))
    sampled = samples_a_prompt * len(prompts)
    counter = Counting(progress, len(models) * (len(asked) + sampled))
    if training is None:
        training = list(itertools.islice(task.examples("train", data_seed), TRAINING_EXAMPLES))

    inside = [index for index, question in enumerate(asked) if question.in_distribution]
    completions = answers(models, tokenizer, task, asked, objective, batch_size, counter)
    found = _scored(task, asked, inside, completions, kept) if asked else {}
    if writes_text:
        held_out = list(task.examples(split, data_seed))
        found |= text.measure(
            models,
            tokenizer,
            task,
            held_out,
            training,
            prompts=prompts,
            samples_a_prompt=samples_a_prompt,
            sample_tokens=kept.sample_tokens,
            batch_size=batch_size,
            progress=lambda: counter.next(sampled),
        )
    elif inside:
        summaries = [
            task.summary([(asked[i].example, texts[i]) for i in inside], training) for texts in completions
        ]
        found["summary"] = tally.combine(summaries, task.summary_limit)
        if objective.next_token:
            held_out = distinct((asked[index].example for index in inside), len(inside))
            seen = _as_many(task, training, data_seed, len(held_out))
            found["likelihood"] = row_likelihoods(models, tokenizer, held_out, seen, objective=objective)
    not_asked = tally.not_asked(questions, reasons) + found.pop("text_not_scored", ())
    found["trained_on"] = count_trained_on(asked, training, trained_on.task)
    found["asked"] = len(asked)
    found["task"] = to_json(task)
    found["yardsticks"] = task.yardsticks()
    found["no_value"] = tally.why_no_value(task, found.get("summary", {}))
    return Evaluation(split, len(models), found.pop("overall", None), not_asked=not_asked, **found)


def _scored(
    task: Task,
    asked: Sequence[Question],
    inside: Sequence[int],
    completions: Sequence[Sequence[str]],
    kept: Kept,
) -> dict[str, Any]:
    """The fields of an evaluation that tell of answers; questions `inside` are like those trained on."""
    if kept.gallery is not None:
        task.picture([(asked[i].example, completions[0][i]) for i in inside], kept.gallery)
    scores = tally.score(task, asked, completions)
    return {
        "overall": tally.row("all", scores, inside) if inside else None,
        "groups": tally.groups(asked, scores),
        "headings": tally.headings(task, asked, scores),
        "errors": errors.diagnose(task, asked, completions, scores),
        "mistakes": mistakes(task, asked, completions[0], kept.mistakes),
    }


def _as_many(task: Task, training: Sequence[Example], data_seed: int, count: int) -> Sequence[Example]:
    """So many training examples, from all over a file if held-out ones are from all over it."""
    return training[:count] if task.endless else first_shuffled(training, data_seed, count)


def exact_match(
    models: Sequence[Transformer],
    tokenizer: Tokenizer,
    task: Task,
    *,
    split: Split = "validation",
    n: int = 256,
    data_seed: int = 0,
    examples: Sequence[Example] | None = None,
    objective: Objective | None = None,
    batch_size: int | None = None,
) -> Estimate | None:
    """The headline of `evaluate` alone, for a look while training; None if no question can be asked.

    Args:
      examples: asked instead of n of the split.
      objective: what the models have learned; None: what their heads tell.
    """
    objective = objective or inferred(models[0].config)
    if examples is None:
        questions = select(task, split, n=n, n_extra=0, data_seed=data_seed)
    else:
        questions = [Question(example) for example in examples]
    reasons = obstacles(models[0], tokenizer, [question.example for question in questions], objective)
    asked = [question for question, reason in zip(questions, reasons, strict=True) if not reason]
    if not asked:
        return None
    scores = tally.score(task, asked, answers(models, tokenizer, task, asked, objective, batch_size))
    return tally.row("all", scores, range(len(asked))).exact_match


def answers(
    models: Sequence[Transformer],
    tokenizer: Tokenizer,
    task: Task,
    questions: Sequence[Question],
    objective: Objective,
    batch_size: int | None = None,
    counter: "Counting | None" = None,
) -> list[list[str]]:
    """Each model's answer to each question, the most likely at temperature 0; all fit into the model."""
    if not questions:
        return [[] for _ in models]
    prompts = [question.example.prompt for question in questions]
    targets = [question.example.target for question in questions]
    if task.from_nothing and objective.next_token and len(set(targets)) < len(targets):
        targets = None  # the few that are held out do not tell how long others are
    asking = Asking(
        targets=targets,
        sampling=Sampling(temperature=task.temperature, num_samples=task.candidates),
        batch_size=max(1, _ROWS // task.candidates) if batch_size is None else batch_size,
    )
    found = []
    for model in models:
        progress = None if counter is None else counter.next(len(questions))
        answered = objective.predict(
            model, tokenizer, prompts, dataclasses.replace(asking, progress=progress)
        )
        found.append([c[task.choose(q.example, c)] for q, c in zip(questions, answered, strict=True)])
    return found


def mistakes(
    task: Task, questions: Sequence[Question], completions: Sequence[str], most: int
) -> tuple[Mistake, ...]:
    """The first wrong answers, those to questions like what was trained on first.

    What is written to an empty prompt is a sample: nothing asked for the target that it misses.
    """
    found = []
    for (example, _), completion in zip(questions, completions, strict=True):
        scores = task.score(example, completion)
        if example.prompt and len(found) < most and scores["exact_match"] < 1:
            shown = task.answer(example.prompt, example.target), task.answer(example.prompt, completion)
            found.append(Mistake(example.group, example.prompt, example.target, completion, *shown, scores))
    return tuple(found)


class Counting:
    """Joins the progress of several calls into one, `total` answers in all."""

    def __init__(self, progress: Progress | None, total: int):
        self._progress, self._total, self._begun = progress, total, 0

    def next(self, count: int) -> Progress | None:
        """The callback of the next call, which is `count` of the total, whatever it counts itself."""
        if self._progress is None:
            return None
        before = self._begun
        self._begun += count
        return lambda done, of: self._progress(before + round(count * done / max(of, 1)), self._total)
