"""Extractive answers (Devlin et al. 2019, arXiv 1810.04805, section 4.2; SQuAD)."""

import dataclasses

import jax.numpy as jnp
import numpy as np

from jaxgpt.data.labelled import SPAN, reading, second_segments
from jaxgpt.data.rows import Rows, check_length, pad
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

    def rows(self, examples, tokenizer, model):
        rows, labels = [], []
        for example in examples:
            prompt, target = example.prompt, example.target
            place = prompt.find(target)
            if place < 0 or not target:
                raise ValueError(f"the answer {target!r} does not stand in {prompt!r}")
            ids, firsts = reading(tokenizer, [prompt[:place], target, prompt[place + len(target) :]])
            start, stop = firsts[1], firsts[2] - 1
            if stop < start:
                raise ValueError(f"the answer {target!r} has no token of its own")
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
        if tokenizer.lossy and (spans := _spans(tokenizer, prompt)) is not None:
            return prompt[spans[start][0] : spans[stop][1]]
        return tokenizer.decode(ids[1 + start : 2 + stop])


def _spans(tokenizer, text) -> list[tuple[int, int]] | None:
    """Where in a text each of its tokens stands, those between its parts included."""
    found, start = [], 0
    for part in text.split("\t"):
        own = tokenizer.spans(part)
        if own is None:
            return None
        found += [(start, start)] * bool(start) + [(start + first, start + end) for first, end in own]
        start += len(part) + 1
    return found
