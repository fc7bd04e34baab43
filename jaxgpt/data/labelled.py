"""Texts and what is told of them: one label, a tag for each word, or where an answer stands."""

from collections.abc import Sequence

import numpy as np

from jaxgpt.data.rows import Rows, check_length, pad
from jaxgpt.models.config import ModelConfig
from jaxgpt.task import Example
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: The two labels of an answer that is a part of its text.
SPAN = ("start", "end")


def label_names(examples: Sequence[Example], model: ModelConfig, objective: str) -> tuple[str, ...]:
    """What the labels of some training examples are called, in the order of their numbers.

    Raises:
      ValueError: if `model.labels` is another number of them.
    """
    if objective == "span":
        names = SPAN
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
    separates two texts: `bos one eos other eos`, of which the other is the second segment.

    Raises:
      ValueError: for a target that is no label, tags that are not one a word, or an answer that is not in its
        text; with the example.
    """
    number = {name: index for index, name in enumerate(model.label_names)}
    rows, labels, seconds = [], [], []
    for example in examples:
        parts = _parts(example, model)
        ids, found = [tokenizer.bos_id], []
        for text, label in parts:
            found.append((len(ids), label))
            ids += encoded(tokenizer, text)
        end = len(ids)
        seconds.append(second_segment(tokenizer, ids))
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
    place = np.arange(table.shape[1])
    segments = (place >= np.asarray(seconds)[:, None]) & (place < length[:, None])
    ones = np.ones(len(rows), np.int32)
    return Rows(table, ones, length, labels=array, segments=segments.astype(np.int32))


def encoded(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of a text, or of several with the end token between them."""
    first, *others = text.split("\t")
    ids = tokenizer.encode(first)
    for other in others:
        ids += [tokenizer.eos_id, *tokenizer.encode(other)]
    return ids


def second_segment(tokenizer: Tokenizer, ids: list[int]) -> int:
    """Where the second text of a row without its last end begins; behind the row if there is none."""
    return ids.index(tokenizer.eos_id) + 1 if tokenizer.eos_id in ids[1:] else len(ids) + 1


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
