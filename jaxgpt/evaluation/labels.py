"""What a model with a label head says of texts, as text."""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxgpt.data.labelled import SPAN, encoded, second_segment
from jaxgpt.data.rows import batch_of
from jaxgpt.models.transformer import Transformer
from jaxgpt.tokenizers.tokenizer import Tokenizer


def predict(
    model: Transformer,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    *,
    batch_size: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """The likeliest label of each text; of each of its words, with spaces between; or the answer in it.

    Raises:
      ValueError: if a text does not fit into the model.
    """
    config = model.config
    graph, params = nnx.split(model)
    rows, places = [], []
    for text in texts:
        words = [text]
        if config.labels_from == "each" and config.label_names != SPAN:
            words = [word if i == 0 else f" {word}" for i, word in enumerate(text.split())]
        ids, firsts = [tokenizer.bos_id], []
        for word in words:
            firsts.append(len(ids))
            ids += encoded(tokenizer, word)
        rows.append([*ids, tokenizer.eos_id])
        places.append(firsts)
        if len(rows[-1]) > config.max_length:
            raise ValueError(
                f"{len(rows[-1])} tokens exceed model.max_length={config.max_length}; shorten it"
            )
    width, found = max(map(len, rows), default=0), []
    for first in range(0, len(rows), batch_size):
        part = rows[first : first + batch_size]
        tokens, order = batch_of(part, (batch_size, width), tokenizer.pad_id)
        segments = np.zeros((batch_size, width), np.int32) if config.segments else None
        if segments is not None:
            for row, ids in enumerate(part):
                segments[row, second_segment(tokenizer, ids[:-1]) : len(ids)] = 1
        logits = np.asarray(_labels(graph, params, tokens, order, segments))
        for row, ids in enumerate(part):
            found.append(_text(tokenizer, config, ids, logits[row], places[first + row]))
        if progress is not None:
            progress(len(found), len(rows))
    return found


def _text(tokenizer, config, ids, logits, places) -> str:
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
        return tokenizer.decode(ids[1 + start : 2 + stop])
    if config.labels_from == "each":
        return " ".join(names[logits[place].argmax()] for place in places)
    return names[logits.argmax()]


@partial(jax.jit, static_argnums=0)
def _labels(graph, params, tokens, order, segments):
    model = nnx.merge(graph, params)
    return model(jnp.asarray(tokens), order=jnp.asarray(order), segments=segments).labels
