"""What an encoder takes hidden tokens for."""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxgpt.data.positions import largest_in
from jaxgpt.data.rows import batch_of
from jaxgpt.generation.prompts import check_batch_size, check_positions
from jaxgpt.models.structure import split
from jaxgpt.tokenizers.tokenizer import Tokenizer


def fill(
    model: nnx.Module,
    tokenizer: Tokenizer,
    prompts: Sequence[tuple[str, int]],
    *,
    batch_size: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """The text behind each prompt, every token the likeliest for itself.

    Args:
      prompts: a text and how many tokens follow it, hidden, before the end token.

    Raises:
      ValueError: if the model has no mask, or no room for a prompt, or its position scheme has none, and for
        a batch size below 1.
    """
    check_batch_size(batch_size)
    config = model.config
    if config.kind != "encoder" or config.mask_id is None:
        raise ValueError(
            f"kind={config.kind} with mask_id={config.mask_id} fills in nothing; use an encoder "
            "with an id that hides a token"
        )
    structure, weights = split(model)
    rows, spans = [], []
    for text, count in prompts:
        before = tokenizer.begun(tokenizer.encode(text))
        length = len(before) + count + 1
        if length > config.max_length:
            raise ValueError(
                f"a prompt with the {count} tokens to fill in has {length} tokens, which exceed "
                f"model.max_length={config.max_length}; shorten it, or fill in fewer"
            )
        rows.append([*before, *[config.mask_id] * count, tokenizer.eos_id])
        spans.append(slice(len(before), len(before) + count))
    check_positions(config, [largest_in(model, "encoder", rows, tokenizer)])
    found = []
    width = max(map(len, rows), default=0)
    for first in range(0, len(rows), batch_size):
        part = rows[first : first + batch_size]
        tokens, order = batch_of(part, (batch_size, width), tokenizer.pad_id)
        best = np.asarray(_likeliest(structure, weights, tokens, order, tokenizer.vocab_size))
        for row, span in enumerate(spans[first : first + batch_size]):
            found.append(tokenizer.decode(best[row, span].tolist()))
        if progress is not None:
            progress(len(found), len(rows))
    return found


@partial(jax.jit, static_argnums=(0, 4))
def _likeliest(structure, weights, tokens, order, count):
    """The likeliest id of each place, of those that stand for a text."""
    logits = structure.model(weights)(jnp.asarray(tokens), order=jnp.asarray(order)).logits
    return logits[..., :count].argmax(axis=-1)
