"""Which questions a model is asked, and which it cannot be."""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from jaxgpt.data.labelled import readings
from jaxgpt.data.positions import largest_positions
from jaxgpt.data.rows import pad
from jaxgpt.models.transformer import Transformer
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
    """The first n different questions of a split, and n_extra of the task's `extra_questions`, if any."""
    chosen = [Question(example) for example in distinct(task.questions(split, data_seed), n)]
    extra = getattr(task, "extra_questions", None)
    if extra is not None and n_extra:
        examples = itertools.islice(extra(split, data_seed), n_extra)
        chosen += [Question(example, in_distribution=False) for example in distinct(examples, n_extra)]
    return chosen


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


def obstacles(model: Transformer, tokenizer: Tokenizer, examples: Sequence[Example]) -> list[str]:
    """For each example why the model cannot be asked it, such as `73 tokens, max_length 66`; "" if it can.

    What counts is the question together with its right answer, as it would be read while it is written.
    """
    found = [""] * len(examples)
    inputs = []  # (index, what the decoder reads, what the encoder reads)
    both = model.config.kind == "encoder_decoder"
    for index, example in enumerate(examples):
        try:
            if model.config.label_names:  # which are told, not written
                found[index] = _unreadable(readings(example.prompt, tokenizer, model.config), model)
                continue
            prompt, target = tokenizer.encode(example.prompt), tokenizer.encode_exactly(example.target)
        except ValueError as error:
            found[index] = str(error)
            continue
        # The end token after the target is predicted and never read.
        decoder = [*tokenizer.begun([] if both else prompt), *target]
        if model.config.kind == "encoder":
            decoder.append(tokenizer.eos_id)  # which it reads
        encoder = [*prompt, tokenizer.eos_id]
        longest = max(len(decoder), len(encoder) if both else 0)
        if longest > model.config.max_length:
            found[index] = f"{longest} tokens, model.max_length is {model.config.max_length}"
        else:
            inputs.append((index, decoder, encoder))
    size = model.config.position.size
    if size is None or not inputs:
        return found
    role = "encoder" if model.config.kind == "encoder" else "decoder"
    largest = _largest_positions(model, role, [row for _, row, _ in inputs], tokenizer)
    if both:
        other = _largest_positions(model, "encoder", [row for _, _, row in inputs], tokenizer)
        largest = np.maximum(largest, other)
    for (index, _, _), position in zip(inputs, largest, strict=True):
        if position >= size:
            found[index] = f"position {position}, position.max_position is {size}"
    return found


def _unreadable(rows: list[list[int]], model: Transformer) -> str:
    """Why a model with labels cannot read a prompt's rows; "" if it can."""
    if not rows:
        return "a prompt without choices"
    longest = max(map(len, rows))
    most = model.config.max_length
    return f"{longest} tokens, model.max_length is {most}" if longest > most else ""


def _largest_positions(model: Transformer, role: str, rows: list[list[int]], tokenizer: Tokenizer):
    """The largest position of each row in one of the model's stacks."""
    answering = role == "decoder" and model.config.kind == "encoder_decoder"
    tokens, length = pad(rows, tokenizer)
    return largest_positions(getattr(model, role).position, tokens, length, answering=answering)
