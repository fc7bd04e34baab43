"""Which questions a model is asked, and which it cannot be."""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from jaxgpt.data.positions import largest_in
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.base import Objective
from jaxgpt.objectives.inferred import inferred
from jaxgpt.task import Example, Split, Task
from jaxgpt.task.searching import Search
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: So many repeats in a row say that a finite set of questions has been asked.
_REPEATS = 10_000


class Question(NamedTuple):
    """An example that is asked.

    Attributes:
      example: prompt, target and group.
      in_distribution: whether it is like what was trained on; others get rows of their own and no part in
        the headline.
    """

    example: Example
    in_distribution: bool = True


def distinct(examples: Iterable[Example], n: int) -> list[Example]:
    """The first n different examples, fewer where there are no more.

    Two are the same if prompt and target are. The key is no help: every question about one held-out
    document has the document's key.
    """
    found: dict[tuple[str, str], Example] = {}
    repeats = 0
    search = Search(
        f"{n:,} different questions",
        "ask fewer (training.test_examples, evaluate --n), or widen the task",
    )
    examples = iter(examples)
    while len(found) < n and repeats < _REPEATS and (example := next(examples, None)) is not None:
        before = len(found)
        found.setdefault((example.prompt, example.target), example)
        if len(found) > before:
            repeats = 0
            search.found()
        else:
            repeats += 1
            search.missed()
    return list(found.values())


def select(task: Task, split: Split, *, n: int, n_extra: int, data_seed: int) -> list[Question]:
    """The first n different questions of a split, and n_extra of the task's `extra_questions`.

    Where texts are written from nothing, and fewer than n are held out, these are gone through again.
    """
    found = distinct(task.questions(split, data_seed), n)
    if task.from_nothing:
        found = list(itertools.islice(itertools.cycle(found), n))
    chosen = [Question(example) for example in found]
    examples = itertools.islice(task.extra_questions(split, data_seed), n_extra)
    return chosen + [Question(example, in_distribution=False) for example in distinct(examples, n_extra)]


def count_trained_on(asked: Sequence[Question], training: Sequence[Example], task: Task | None = None) -> int:
    """How many questions were among the training examples.

    Args:
      task: of the training examples, where another task asks. It reads each question as a person would type
        it, so that a file's `What is 4 plus 3?` is known as its own `3+4`.
    """
    trained = {example.canonical for example in training}

    def seen(example: Example) -> bool:
        if example.canonical in trained or task is None:
            return example.canonical in trained
        try:
            return task.typed(example.prompt).canonical in trained
        except ValueError:  # it is no question of that task
            return False

    return sum(seen(question.example) for question in asked)


def obstacles(
    model: Transformer,
    tokenizer: Tokenizer,
    examples: Sequence[Example],
    objective: Objective | None = None,
) -> list[str]:
    """For each example why the model cannot be asked it, such as `73 tokens, max_length 66`; "" if it can.

    What counts is what the objective reads of the question with its right answer; None: the one that the
    model's heads tell.
    """
    objective = objective or inferred(model.config)
    found = [""] * len(examples)
    inputs: dict[str, list[tuple[int, list[int]]]] = {}  # stack -> (index, what it reads)
    for index, example in enumerate(examples):
        try:
            rows = objective.reads(example, tokenizer, model.config)
        except ValueError as error:
            found[index] = str(error)
            continue
        longest = max(len(ids) for _, ids in rows)
        if longest > model.config.max_length:
            found[index] = f"{longest} tokens, model.max_length is {model.config.max_length}"
            continue
        for stack, ids in rows:
            inputs.setdefault(stack, []).append((index, ids))
    size, name = model.config.position.size, model.config.position.size_name
    if size is None:
        return found
    largest = np.zeros(len(examples), int)
    for stack, rows in inputs.items():
        positions = largest_in(model, stack, [ids for _, ids in rows], tokenizer)
        np.maximum.at(largest, [index for index, _ in rows], positions)
    for index in np.flatnonzero(largest >= size):
        found[index] = f"position {largest[index]}, position.{name} is {size}"
    return found


def askable(model: Transformer, tokenizer: Tokenizer, task: Task, objective: Objective) -> list[str]:
    """The task's sample prompts, each once, that the tokenizer can encode and the model has room for."""
    found = list(dict.fromkeys(task.sample_prompts))
    reasons = obstacles(model, tokenizer, [Example(task.prompt(text), "") for text in found], objective)
    return [text for text, reason in zip(found, reasons, strict=True) if not reason]
