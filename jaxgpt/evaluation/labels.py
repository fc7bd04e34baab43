"""What a model with a label head says of texts, as text."""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxgpt.data.labelled import CHOICE, SPAN, encoded, readings, second_segments
from jaxgpt.data.rows import batch_of
from jaxgpt.models.structure import split
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.losses import read_labels
from jaxgpt.tokenizers.tokenizer import Tokenizer


def predict(
    model: Transformer,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    *,
    batch_size: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """The likeliest label of each text; of each of its words, with spaces between; the answer in it, or that
    of its choices which it takes.

    Raises:
      ValueError: if a text does not fit into the model.
    """
    config = model.config
    structure, weights = split(model)
    rows, places, last = [], [], []
    for text in texts:
        new, firsts = readings(text, tokenizer, config), []
        if config.labels_from == "each" and config.label_names != SPAN:
            ids = [tokenizer.bos_id]
            for index, word in enumerate(text.split()):
                firsts.append(len(ids))
                ids += encoded(tokenizer, word if index == 0 else f" {word}")
            new = [[*ids, tokenizer.eos_id]]
        if not new:
            raise ValueError(f"{text!r} has no choices; put a tab before each of them")
        rows += new
        last.append(len(rows))
        places.append(firsts)
        if (longest := max(map(len, new))) > config.max_length:
            raise ValueError(f"{longest} tokens exceed model.max_length={config.max_length}; shorten it")
    width, logits = max(map(len, rows), default=0), []
    for first in range(0, len(rows), batch_size):
        part = rows[first : first + batch_size]
        tokens, order = batch_of(part, (batch_size, width), tokenizer.pad_id)
        segments = np.zeros((batch_size, width), np.int32)
        segments[: len(part)] = second_segments(part, width, tokenizer)
        logits += list(np.asarray(_labels(structure, weights, tokens, order, segments)))[: len(part)]
        if progress is not None:
            progress(sum(end <= len(logits) for end in last), len(texts))
    found, first = [], 0
    for text, end, firsts in zip(texts, last, places, strict=True):
        if config.label_names == CHOICE:
            scores = np.stack(logits[first:end])[:, 0]
            found.append(text.split("\t")[1 + scores.argmax()])
        else:
            found.append(_text(tokenizer, config, text, rows[first], logits[first], firsts))
        first = end
    return found


def _text(tokenizer, config, text, ids, logits, places) -> str:
    names = config.label_names
    if names == SPAN:
        inside = logits[1 : len(ids) - 1]
        if not len(inside):
            return ""
        # The best pair of which the end does not stand before the start.
        both = np.triu(inside[:, None, 0] + inside[None, :, 1]) + np.tril(
            np.full((len(inside),) * 2, -np.inf), -1
        )
        start, stop = np.unravel_index(both.argmax(), both.shape)
        if tokenizer.lossy and (spans := _spans(tokenizer, text)) is not None:
            return text[spans[start][0] : spans[stop][1]]
        return tokenizer.decode(ids[1 + start : 2 + stop])
    if config.labels_from == "each":
        return " ".join(names[logits[place].argmax()] for place in places)
    return names[logits.argmax()]


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


@partial(jax.jit, static_argnums=0)
def _labels(structure, weights, tokens, order, segments):
    model = structure.model(weights)
    return read_labels(model, jnp.asarray(tokens), jnp.asarray(order), segments).labels
