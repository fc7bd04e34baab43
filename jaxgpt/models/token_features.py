"""What some models read of a text beside its tokens."""

import dataclasses

import jax
from jaxtyping import Array, Bool, Int, Num


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
