"""Hiding tokens of an encoder's rows."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from jaxgpt.models.config import ModelConfig
from jaxgpt.objectives.batches import Batch

#: The share of tokens that are chosen, and of those the shares that become the mask or any other token.
#: Devlin et al. 2019, arXiv 1810.04805, section 3.1.
SHARE, MASKED, RANDOM = 0.15, 0.8, 0.1


def check_share(share: float) -> None:
    """Raises ValueError for what is no share of tokens, or none of them."""
    if not 0 < share <= 1:
        raise ValueError(f"share={share} must be above 0 and at most 1")


def hidden_note(share: float) -> str:
    """Which tokens of a row carry loss, in words."""
    return f"where they are hidden: {share:.0%} of them, others each time"


def check_mask(model: ModelConfig) -> None:
    """Raises ValueError for a model that knows its vocabulary and has no id that hides a token."""
    if model.mask_id is None:
        raise ValueError(
            f"model.vocab_size={model.vocab_size} is the tokenizer's, which has no id that hides a token; "
            "leave it at 0"
        )


def hide_answers(config: ModelConfig, batch: Batch) -> Batch:
    """The batch with every token of the targets hidden; see `hide_some` for what it holds."""
    targets, order, inside = _inside(batch)
    chosen = inside & (order >= batch["start"][:, None])
    return batch | _hidden(jnp.where(chosen, config.mask_id, targets), targets, chosen, order)


def hide_some(config: ModelConfig, batch: Batch, key: jax.Array | None, *, share: float = SHARE) -> Batch:
    """The batch with a share of all tokens chosen, anew with each key, and most of these hidden.

    Not chosen are the first and the last token of a row, and the last of its first text; of a window of a
    text any may be. Of the chosen 80 % become the mask, 10 % any token, 10 % stay.

    Args:
      key: None hides the same tokens each time.

    Returns:
      The batch with `tokens` as the model reads them, `targets`, `carries` (1 where a token was chosen) and
      `order`.
    """
    targets, order, inside = _inside(batch)
    choosing, fate, other = jax.random.split(jax.random.key(0) if key is None else key, 3)
    score = jnp.where(inside, jax.random.uniform(choosing, targets.shape), 2.0)
    rank = jnp.argsort(jnp.argsort(score, axis=1), axis=1)
    count = jnp.maximum(jnp.round(share * inside.sum(axis=1, keepdims=True)), 1)
    chosen = inside & (rank < count)
    draw = jax.random.uniform(fate, targets.shape)
    replaced = jnp.where(
        draw < MASKED, config.mask_id, jax.random.randint(other, targets.shape, 0, config.vocab_size)
    )
    tokens = jnp.where(chosen & (draw < MASKED + RANDOM), replaced, targets)
    return batch | _hidden(tokens, targets, chosen, order)


def _inside(batch: Batch) -> tuple[Int[Array, "B T"], Int[Array, "B T"], Bool[Array, "B T"]]:
    """What is to be predicted, its order, and which of it may be hidden."""
    # A window of a stream has one token more, which only a next token would be.
    targets = batch["tokens"] if "length" in batch else batch["tokens"][:, :-1]
    place = jnp.broadcast_to(jnp.arange(targets.shape[1]), targets.shape)
    if "length" not in batch:
        return targets, place, jnp.ones_like(targets, bool)
    order = jnp.where(place < batch["length"][:, None], place, -1)
    inside = (place > 0) & (place < batch["length"][:, None] - 1)
    if "segments" in batch:  # the end of the first of two texts
        inside &= jnp.diff(batch["segments"], axis=1, append=1) <= 0
    return targets, order, inside


def _hidden(tokens, targets, chosen, order) -> Batch:
    return {"tokens": tokens, "targets": targets, "carries": chosen.astype(jnp.float32), "order": order}
