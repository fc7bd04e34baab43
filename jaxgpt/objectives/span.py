"""Extractive answers (Devlin et al. 2019, arXiv 1810.04805, section 4.2; SQuAD)."""

import dataclasses

import jax.numpy as jnp
import numpy as np

from jaxgpt.data.labelled import SPAN, reading, second_segments
from jaxgpt.data.rows import Rows, UnfitExample, check_length, pad
from jaxgpt.objectives.told import Told, check_label_count


@dataclasses.dataclass(frozen=True)
class Span(Told):
    """The target is a part of the prompt: the model says at which tokens it begins and ends."""

    def check(self, model, task):
        super().check(model, task)
        if model.labels_from != "each":
            raise ValueError("objective=span needs model.labels_from=each: it tells two of all tokens")

    def label_names(self, examples, model):
        return check_label_count(model, SPAN)

    def right(self, example, model):
        """The places of the answer's first character in the prompt, and of the one behind its last."""
        prompt, target = example.prompt, example.target
        place = prompt.find(target)
        if place < 0 or not target:
            raise UnfitExample(f"the answer {target!r} does not stand in {prompt!r}", example)
        return [place, place + len(target)]

    def rows(self, examples, tokenizer, model):
        rows, labels = [], []
        for example in examples:
            ids, start, stop = _row(tokenizer, example.prompt, *self.right(example, model))
            if stop < start:
                raise UnfitExample(f"the answer {example.target!r} has no token of its own", example)
            rows.append(ids)
            labels.append([start, stop])
        check_length(rows, model.max_length, list(examples))
        table, length = pad(rows, tokenizer)
        segments = second_segments(rows, table.shape[1], tokenizer)
        start = np.ones(len(rows), np.int32)
        return Rows(table, start, length, labels=np.asarray(labels, np.int32), segments=segments)

    def label_losses(self, found, batch, real, loss):
        """Of the token where an answer begins, and of that where it ends. [B, 2]"""
        scores = jnp.where(real[..., None], found, -1e30)
        return jnp.stack([loss(scores[..., k], batch["labels"][:, k]) for k in (0, 1)], axis=1)

    def answer(self, model, tokenizer, prompt, rows, logits):
        ids = rows[0]
        inside = logits[0, 1 : len(ids) - 1]
        if not len(inside):
            return ""
        # The best pair of which the end does not stand before the start.
        both = np.triu(inside[:, None, 0] + inside[None, :, 1]) + np.tril(
            np.full((len(inside),) * 2, -np.inf), -1
        )
        start, stop = np.unravel_index(both.argmax(), both.shape)
        if tokenizer.lossy and tokenizer.spans("") is not None:
            spans = _spans(tokenizer, prompt)
            return prompt[spans[start][0] : spans[stop][1]]
        found = ids[1 + start : 2 + stop]
        text, first, last = (tokenizer.decode(part) for part in (found, found[:1], found[-1:]))
        # A token may hold the space beside its word, which is none of the answer.
        text = text.lstrip() if len(first.lstrip()) not in (0, len(first)) else text
        return text.rstrip() if len(last.rstrip()) not in (0, len(last)) else text


def _row(tokenizer, prompt: str, first: int, end: int) -> tuple[list[int], int, int]:
    """The row of a prompt, and the places of the first and the last token of its characters `first` to `end`.

    A prompt that is cut at an answer may have other tokens there than the whole, which is what is asked.
    """
    row, _ = reading(tokenizer, [prompt])
    cut, places = reading(tokenizer, [prompt[:first], prompt[first:end], prompt[end:]])
    if cut == row:
        return row, places[1], places[2] - 1
    spans = enumerate(_spans(tokenizer, prompt), 1)
    inside = [place for place, (start, stop) in spans if max(start, first) < min(stop, end)]
    return (row, inside[0], inside[-1]) if inside else (row, 1, 0)


def _spans(tokenizer, text) -> list[tuple[int, int]]:
    """Where in a text each of its tokens stands, those between its parts included."""
    found, start = [], 0
    for number, part in enumerate(text.split("\t")):
        own = tokenizer.spans(part)
        if own is None:
            own = _by_decoding(tokenizer, part)
        found += [(start - 1, start - 1)] * bool(number) + [
            (start + first, start + end) for first, end in own
        ]
        start += len(part) + 1
    return found


def _by_decoding(tokenizer, text: str) -> list[tuple[int, int]]:
    """The spans of a text's tokens, from decoding one token more each time."""
    ids, found, last = tokenizer.encode(text), [], 0
    for count in range(1, len(ids) + 1):
        end = max(last, len(tokenizer.settled(ids[:count])))
        found.append((last, end if count < len(ids) else len(text)))
        last = end
    return found
