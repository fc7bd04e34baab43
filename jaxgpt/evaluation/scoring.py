"""Scores models on a task's held-out questions."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from jaxgpt import generation
from jaxgpt.core.fields import to_json
from jaxgpt.evaluation import tally
from jaxgpt.evaluation import text_measures as text
from jaxgpt.evaluation.evaluation import Evaluation, Mistake
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.evaluation.labels import predict
from jaxgpt.evaluation.likelihood import row_likelihoods
from jaxgpt.evaluation.questions import Question, count_trained_on, obstacles, select
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.losses import Which
from jaxgpt.task import Example, Split, Task, shuffled
from jaxgpt.tokenizers.tokenizer import Tokenizer

Progress = Callable[[int, int], None]

#: Training examples drawn for a task's summary where none are given.
TRAINING_EXAMPLES = 100_000
#: Tokens a completion may have beyond the longest target and its end: another way to write the same text.
_SLACK = 8
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
    data_seed: int = 0,
    training: Sequence[Example] | None = None,
    trained_task: Task | None = None,
    objective: Which = "completion",
    batch_size: int | None = None,
    num_mistakes: int = 10,
    num_samples: int = 50,
    sample_tokens: int = 200,
    progress: Progress | None = None,
    gallery: Path | None = None,
) -> Evaluation:
    """Exact match by group, likelihood of held-out and training text, and the task's own measures.

    Every question is answered by every model, at the task's `temperature`, which is 0 unless it says
    otherwise; an encoder is told how many tokens an answer has, and says all of them at once. Questions
    beyond those trained on (a task's `extra_questions`) have rows of their own and no part in the headline. A
    question that the model has no room for is counted as not asked, with the reason.

    Args:
      models: replicas of one configuration, one a seed.
      n: different questions of the split; fewer are asked where it has fewer.
      n_extra: of the task's `extra_questions`.
      data_seed: of the questions and of the training examples.
      training: what was trained on, for the task's summary and the loss beside the held-out one; drawn
        from the task if left out.
      trained_task: the task of `training`, if it is not the one that asks; it tells which questions were
        trained on in other words.
      objective: which tokens of a row carry loss, as in training; a text's all do.
      batch_size: prompts answered together; None leaves it to `complete`.
      num_mistakes: wrong answers kept.
      num_samples: texts sampled at temperature 1 from a task that writes text, and `sample_tokens` each.
      progress: called with (answers done, answers in all).
      gallery: where the task's own picture of the first model's answers goes, if it draws one.

    Raises:
      ValueError: without a model, for n < 1, or what the task or the generation raises.
    """
    if not models:
        raise ValueError("models=[]: give at least one model")
    if n < 1:
        raise ValueError(f"n={n} must be at least 1")
    # Neither predicts one token after the other.
    fills = models[0].config.kind == "encoder" or bool(models[0].config.label_names)
    writes_text = task.layout == "stream" and not fills
    questions = select(task, split, n=n, n_extra=n_extra, data_seed=data_seed)
    reasons = obstacles(models[0], tokenizer, [question.example for question in questions])
    asked = [question for question, reason in zip(questions, reasons, strict=True) if not reason]
    prompts = text.sample_prompts(task) if writes_text and num_samples else []
    samples_a_prompt = -(-num_samples // max(len(prompts), 1))
    sampled = samples_a_prompt * len(prompts)
    counter = _Counter(progress, len(models) * (len(asked) + sampled))
    if training is None:
        training = list(itertools.islice(task.examples("train", data_seed), TRAINING_EXAMPLES))

    found = {}
    inside = [index for index, question in enumerate(asked) if question.in_distribution]
    completions = answers(models, tokenizer, task, asked, batch_size, counter)
    if asked:
        scores = tally.score(task, asked, completions)
        found["overall"] = tally.row("all", scores, inside) if inside else None
        found["groups"] = tally.groups(asked, scores)
        found["headings"] = tally.headings(task, asked, scores)
        found["mistakes"] = mistakes(task, asked, completions[0], num_mistakes)
        if gallery is not None:
            task.picture([(asked[i].example, completions[0][i]) for i in inside], gallery)
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
            sample_tokens=sample_tokens,
            batch_size=batch_size,
            progress=lambda: counter.next(sampled),
        )
    elif inside:
        held_out = [asked[index].example for index in inside]
        summaries = [
            task.summary([(asked[i].example, texts[i]) for i in inside], list(training))
            for texts in completions
        ]
        found["summary"] = tally.combine(summaries)
        if not fills:
            # Beside held-out questions from all over a file, training ones from all over it.
            seen = training if task.endless else list(shuffled(training, data_seed))
            found["likelihood"] = row_likelihoods(
                models, tokenizer, held_out, seen[: len(held_out)], which=objective
            )
    not_asked = tally.not_asked(questions, reasons) + found.pop("text_not_scored", ())
    found["trained_on"] = count_trained_on(asked, training, trained_task)
    found["asked"] = len(asked)
    found["task"] = to_json(task)
    return Evaluation(split, len(models), found.pop("overall", None), not_asked=not_asked, **found)


def exact_match(
    models: Sequence[Transformer],
    tokenizer: Tokenizer,
    task: Task,
    *,
    split: Split = "validation",
    n: int = 256,
    data_seed: int = 0,
    examples: Sequence[Example] | None = None,
    batch_size: int | None = None,
) -> Estimate | None:
    """The headline of `evaluate` alone, for a look while training; None if no question can be asked.

    Args:
      examples: asked instead of n of the split.
    """
    if examples is None:
        questions = select(task, split, n=n, n_extra=0, data_seed=data_seed)
    else:
        questions = [Question(example) for example in examples]
    reasons = obstacles(models[0], tokenizer, [question.example for question in questions])
    asked = [question for question, reason in zip(questions, reasons, strict=True) if not reason]
    if not asked:
        return None
    scores = tally.score(task, asked, answers(models, tokenizer, task, asked, batch_size))
    return tally.row("all", scores, range(len(asked))).exact_match


def answers(
    models: Sequence[Transformer],
    tokenizer: Tokenizer,
    task: Task,
    questions: Sequence[Question],
    batch_size: int | None = None,
    counter: "_Counter | None" = None,
) -> list[list[str]]:
    """Each model's completion of each question, the most likely at temperature 0; all fit into the model."""
    if not questions:
        return [[] for _ in models]
    if models[0].config.label_names:
        prompts = [question.example.prompt for question in questions]
        return [
            predict(
                model, tokenizer, prompts, progress=None if counter is None else counter.next(len(questions))
            )
            for model in models
        ]
    if models[0].config.kind == "encoder":
        asked = [(q.example.prompt, len(tokenizer.encode(q.example.target))) for q in questions]
        return [
            generation.fill(
                model, tokenizer, asked, progress=None if counter is None else counter.next(len(questions))
            )
            for model in models
        ]
    longest = max(map(len, tokenizer.encode_batch([q.example.target for q in questions])))
    sampling = generation.Sampling(temperature=task.temperature, num_samples=task.candidates)
    if batch_size is None:
        batch_size = max(1, _ROWS // task.candidates)
    found = []
    for model in models:
        completions = generation.complete(
            model,
            tokenizer,
            [question.example.prompt for question in questions],
            max_new_tokens=longest + 1 + _SLACK,
            sampling=sampling,
            # A wrong answer may never end; it is wrong, and no reason to stop the rest.
            overflow="stop",
            progress=None if counter is None else counter.next(len(questions)),
            batch_size=batch_size,
        )
        found.append([c[task.choose(q.example, c)] for q, c in zip(questions, completions, strict=True)])
    return found


def mistakes(
    task: Task, questions: Sequence[Question], completions: Sequence[str], most: int
) -> tuple[Mistake, ...]:
    """The first wrong answers, those to questions like what was trained on first."""
    found = []
    for (example, _), completion in zip(questions, completions, strict=True):
        scores = task.score(example, completion)
        if len(found) < most and scores["exact_match"] < 1:
            shown = task.answer(example.prompt, example.target), task.answer(example.prompt, completion)
            found.append(Mistake(example.group, example.prompt, example.target, completion, *shown, scores))
    return tuple(found)


class _Counter:
    """Joins the progress of several calls into one."""

    def __init__(self, progress: Progress | None, total: int):
        self._progress, self._total, self._begun = progress, total, 0

    def next(self, count: int) -> Progress | None:
        """The callback of the next call, which is `count` of the total, whatever it counts itself."""
        if self._progress is None:
            return None
        before = self._begun
        self._begun += count
        return lambda done, of: self._progress(before + round(count * done / max(of, 1)), self._total)
