"""What some models read of a text beside its tokens."""

import dataclasses
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, Num

if TYPE_CHECKING:
    from jaxgpt.models.config import ModelConfig


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Features:
    """Of each token, or of some.

    Attributes:
      segments: the kind of segment each token is in, in models that have such; None means the first. Of an
        encoder-decoder its source's.
      numbers: features of the number tokens among the tokens; those of other tokens mean nothing.
      source_numbers: the same for the source.
      global_tokens: where in each row the tokens stand that see all and are seen by all, -1 for none; of an
        encoder with `sparse=longformer`.
      visible: which tokens each token may see, of an encoder; at least one, and None means all. Where it is
        given with an order, several may stand at one place of the text: there may be more of them than
        `max_length`.
    """

    segments: Int[Array, "B T"] | None = None
    numbers: Num[Array, "B T F"] | None = None
    source_numbers: Num[Array, "B Z F"] | None = None
    global_tokens: Int[Array, "B G"] | None = None
    visible: Bool[Array, "B T T"] | None = None


def first_sees_all(config: "ModelConfig") -> bool:
    """Whether the first token of a text that labels are told of sees all."""
    sees_all = config.kind == "encoder" and config.sparse is not None and config.sparse.sees_all
    return bool(sees_all and config.num_labels and config.labels_from == "first")


def global_tokens_of(config: "ModelConfig", batch: int) -> Int[Array, "B 1"] | None:
    """The first token of each text, if a label is read from it and it may see all; None for other models.

    So transformers has it for a Longformer that classifies texts, where it is told nothing else.
    """
    return jnp.zeros((batch, 1), jnp.int32) if first_sees_all(config) else None
