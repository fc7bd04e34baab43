"""Permuted language modelling: tokens are predicted in a random order (XLNet, arXiv 1906.08237)."""

import dataclasses
from typing import Annotated

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from jaxgpt.objectives import masking
from jaxgpt.objectives.batches import Batch
from jaxgpt.objectives.ordered import Ordered


@dataclasses.dataclass(frozen=True)
class Permuted(Ordered):
    """Some tokens are drawn and predicted one by one, each from the rest of the text and those before it.

    Yang et al. 2019, sections 2.2 and 2.3; the share is that of Lewis et al. 2020, arXiv 1910.13461, section
    4.1. A predicted token must not be seen, but its place must be known. So the text is read with as many
    masks behind it, one at the place of each predicted token: a mask sees what comes before that token in the
    order, and itself, and nothing else sees it. The text's own tokens, the other stream, see what comes up to
    themselves; what is not predicted comes first and is read from both sides. Both streams have the same
    weights, as there.

    Other than there a mask sees itself, so that the first one sees something where all tokens are predicted.
    Positions are the model's own and nothing is remembered of other segments, as with Lewis et al.
    """

    share: Annotated[float, "of the tokens that are predicted"] = 1 / 6

    def __post_init__(self):
        masking.check_share(self.share)

    @property
    def loss_note(self):
        return f" {masking.hidden_note(self.share)}"

    def tokens_read(self, tokens):
        return tokens + self._predicted(tokens)

    def _predicted(self, tokens: int) -> int:
        """How many of so many tokens are predicted."""
        return max(round(self.share * tokens), 1)

    def draw(self, batch, model, key):
        text = batch["tokens"][:, :-1]  # of a window the last token would be a next one
        count = self._predicted(text.shape[1])
        scores = jax.random.uniform(jax.random.key(0) if key is None else key, text.shape)
        places = jnp.argsort(scores, axis=1)[:, :count]  # in the order in which they are predicted
        return batch | two_streams(text, places, model.mask_id)


def two_streams(text: Int[Array, "B T"], places: Int[Array, "B K"], mask_id: int) -> Batch:
    """A text and masks at some of its places, which are predicted in the order given; see `Ordered`."""
    rows, length = text.shape
    rank = jnp.broadcast_to(jnp.arange(1, places.shape[1] + 1), places.shape)
    own = jnp.zeros_like(text).at[jnp.arange(rows)[:, None], places].set(rank)
    stands = jnp.broadcast_to(jnp.arange(length), text.shape)
    pairs = {
        "tokens": (text, jnp.full_like(places, mask_id)),
        "order": (stands, places),
        "sees": (own, rank - 1),
        "seen": (own, jnp.full_like(places, -1)),
    }
    found = {name: jnp.concatenate(pair, axis=1) for name, pair in pairs.items()}
    targets = jnp.take_along_axis(text, places, axis=1)
    return found | {"targets": targets, "carries": jnp.ones(places.shape, jnp.float32)}
