"""Texts and what is told of them: a label, a tag for each word, where an answer is, which one is right."""

from collections.abc import Sequence

import numpy as np

from jaxgpt.data.rows import Rows, check_length, pad
from jaxgpt.models.config import ModelConfig
from jaxgpt.task import Example
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: The two labels of an answer that is a part of its text, and the one score of each of several choices.
SPAN, CHOICE = ("start", "end"), ("choice",)
#: Labels that are not the targets, by objective.
FIXED = {"span": SPAN, "choice": CHOICE}
#: The objectives of a model with labels; `pretraining` has hidden tokens, too.
OBJECTIVES = ("labels", "span", "choice", "pretraining")


def label_names(examples: Sequence[Example], model: ModelConfig, objective: str) -> tuple[str, ...]:
    """What the labels of some training examples are called, in the order of their numbers.

    Raises:
      ValueError: if `model.labels` is another number of them.
    """
    if objective in FIXED:
        names = FIXED[objective]
    elif model.labels_from == "each":
        names = tuple(sorted({tag for e in examples for tag in e.target.split()}))
    else:
        names = tuple(sorted({e.target for e in examples}))
    if model.labels not in (0, len(names)):
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        raise ValueError(
            f"model.labels={model.labels}, but the training targets are {len(names)}: {shown}; leave it at 0"
        )
    return names


def build_labelled(examples: Sequence[Example], tokenizer: Tokenizer, model: ModelConfig) -> Rows:
    """The table of some examples: `bos prompt eos`, and the labels that the prompts' targets are.

    Its `labels` are [N, 1], of each token [N, L], or [N, 2] where an answer begins and ends; -1 where there
    is none. Words are what whitespace separates; a word's tag stands at its first token. A tab in a prompt
    separates two texts: `bos one eos other eos`, of which the other is the second segment. A choice has a row
    for each of its answers, see `readings`.

    Raises:
      ValueError: for a target that is no label, tags that are not one a word, or an answer that is not in its
        text; with the example.
    """
    if model.label_names == CHOICE:
        return _build_choices(examples, tokenizer, model)
    number = {name: index for index, name in enumerate(model.label_names)}
    rows, labels = [], []
    for example in examples:
        parts = _parts(example, model)
        ids, found = [tokenizer.bos_id], []
        for text, label in parts:
            found.append((len(ids), label))
            ids += encoded(tokenizer, text)
        end = len(ids)
        rows.append([*ids, tokenizer.eos_id])
        if model.label_names == SPAN:
            start = found[1][0]
            stop = (found[2][0] if len(found) > 2 else end) - 1
            if stop < start:
                raise ValueError(f"the answer {example.target!r} has no token of its own")
            labels.append({0: start, 1: stop})
            continue
        for _, label in found:
            if label is not None and label not in number:
                known = ", ".join(model.label_names[:5])
                raise ValueError(f"the target {label!r} of {example.prompt!r} is no label; known: {known}")
        labels.append({place: number[label] for place, label in found if label is not None})
    check_length(rows, model.max_length, list(examples))
    table, length = pad(rows, tokenizer)
    width = table.shape[1] if model.labels_from == "each" and model.label_names != SPAN else None
    if width is None:
        array = np.asarray([list(row.values()) for row in labels], np.int32)
    else:
        array = np.full((len(rows), width), -1, np.int32)
        for row, tags in enumerate(labels):
            array[row, list(tags)] = list(tags.values())
    segments = second_segments(rows, table.shape[1], tokenizer)
    return Rows(table, np.ones(len(rows), np.int32), length, labels=array, segments=segments)


def _build_choices(examples: Sequence[Example], tokenizer: Tokenizer, model: ModelConfig) -> Rows:
    """Rows of [N, C, L], one a choice; where an example has fewer than C, its first stands in."""
    rows, right, counts = [], [], []
    for example in examples:
        _, *choices = example.prompt.split("\t")
        if len(choices) < 2 or choices.count(example.target) != 1:
            raise ValueError(
                f"the target {example.target!r} is not one of the choices of {example.prompt!r}; a prompt "
                "is a question and its choices, with tabs between them"
            )
        rows.append(readings(example.prompt, tokenizer, model))
        check_length(rows[-1], model.max_length, [example] * len(choices))
        right.append([choices.index(example.target)])
        counts.append(len(choices))
    most = max(counts)
    flat = [row for found in rows for row in [*found, *[found[0]] * (most - len(found))]]
    table, length = pad(flat, tokenizer)
    shape = (len(rows), most, table.shape[1])
    return Rows(
        table.reshape(shape),
        np.ones(len(rows), np.int32),
        length.reshape(shape[:2]),
        labels=np.asarray(right, np.int32),
        segments=second_segments(flat, shape[2], tokenizer).reshape(shape),
        choices=np.asarray(counts, np.int32),
    )


def readings(prompt: str, tokenizer: Tokenizer, model: ModelConfig) -> list[list[int]]:
    """The rows that a model with labels reads of a prompt, one but where it chooses.

    A choice reads `bos question eos choice eos` for each of the prompt's choices, which tabs separate.
    """
    texts = [prompt]
    if model.label_names == CHOICE:
        question, *choices = prompt.split("\t")
        texts = [f"{question}\t{choice}" for choice in choices]
    return [[tokenizer.bos_id, *encoded(tokenizer, text), tokenizer.eos_id] for text in texts]


def encoded(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of a text, or of several with the end token between them."""
    first, *others = text.split("\t")
    ids = tokenizer.encode(first)
    for other in others:
        ids += [tokenizer.eos_id, *tokenizer.encode(other)]
    return ids


def second_segments(rows: Sequence[list[int]], width: int, tokenizer: Tokenizer) -> np.ndarray:
    """1 from the second text of each row to its end, 0 elsewhere. [N, width]"""
    found = np.zeros((len(rows), width), np.int32)
    for row, ids in enumerate(rows):
        first = ids.index(tokenizer.eos_id, 1) + 1
        found[row, first : len(ids)] = 1
    return found


def _parts(example: Example, model: ModelConfig) -> list[tuple[str, str | None]]:
    """The prompt in pieces, each with its label, if it has one."""
    prompt, target = example.prompt, example.target
    if model.label_names == SPAN:
        place = prompt.find(target)
        if place < 0 or not target:
            raise ValueError(f"the answer {target!r} does not stand in {prompt!r}")
        return [(prompt[:place], None), (target, None), (prompt[place + len(target) :], None)]
    if model.labels_from != "each":
        return [(prompt, target)]
    words, tags = prompt.split(), target.split()
    if len(words) != len(tags):
        raise ValueError(f"{len(tags)} tags for {len(words)} words: {prompt!r}; give one a word")
    return [
        (word if i == 0 else f" {word}", tag) for i, (word, tag) in enumerate(zip(words, tags, strict=True))
    ]
