"""Masked language modelling: some tokens of a text are hidden, and an encoder says what they were."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxgpt.models.config import ModelConfig

#: The share of tokens that are chosen, and of those the shares that become the mask or any other token.
#: Devlin et al. 2019, arXiv 1810.04805, section 3.1.
CHOSEN, MASKED, RANDOM = 0.15, 0.8, 0.1

Batch = dict[str, Array]


def hidden(config: ModelConfig, batch: Batch, which: str, key: jax.Array | None) -> Batch:
    """The batch with some tokens hidden.

    Args:
      which: `completion` hides every token of the target; `all` chooses 15 % of all tokens but the first and
        the last of a row, and the last of its first text, anew each time: of these 80 % become the mask, 10 %
        any token, 10 % stay.
      key: None hides the same tokens each time.

    Returns:
      `tokens` as the model reads them, `targets`, `carries` (1 where a token was chosen) and `order`.
    """
    # A window of a stream has one token more, which only a next token would be.
    targets = batch["tokens"] if "length" in batch else batch["tokens"][:, :-1]
    place = jnp.broadcast_to(jnp.arange(targets.shape[1]), targets.shape)
    if "length" in batch:
        order = jnp.where(place < batch["length"][:, None], place, -1)
        inside = (place > 0) & (place < batch["length"][:, None] - 1)
        if "segments" in batch:  # the end of the first of two texts
            inside &= jnp.diff(batch["segments"], axis=1, append=1) <= 0
    else:
        order, inside = place, jnp.ones_like(targets, bool)
    if which == "completion":
        chosen = inside & (place >= batch["start"][:, None])
        tokens = jnp.where(chosen, config.mask_id, targets)
    else:
        choosing, fate, other = jax.random.split(jax.random.key(0) if key is None else key, 3)
        score = jnp.where(inside, jax.random.uniform(choosing, targets.shape), 2.0)
        rank = jnp.argsort(jnp.argsort(score, axis=1), axis=1)
        count = jnp.maximum(jnp.round(CHOSEN * inside.sum(axis=1, keepdims=True)), 1)
        chosen = inside & (rank < count)
        draw = jax.random.uniform(fate, targets.shape)
        replaced = jnp.where(
            draw < MASKED, config.mask_id, jax.random.randint(other, targets.shape, 0, config.vocab_size)
        )
        tokens = jnp.where(chosen & (draw < MASKED + RANDOM), replaced, targets)
    return {"tokens": tokens, "targets": targets, "carries": chosen.astype(jnp.float32), "order": order}
