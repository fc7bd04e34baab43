"""Which layers of a model become a token's features (Devlin et al. 2019, arXiv 1810.04805, section 5.3)."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Literal

import jax.numpy as jnp
from jaxtyping import Array, Float

#: What a choice may be, for help and errors.
USAGE = "embeddings, last, second-to-last, sum-last-N, concat-last-N, all, or numbers such as 0,6,12"

_NAMED = {"embeddings": 0, "last": -1, "second-to-last": -2}
_LAST = re.compile(r"(sum|concat)-last-([1-9]\d{0,5})")


@dataclasses.dataclass(frozen=True)
class LayerChoice:
    """Layers, and how their vectors become one.

    Layer 0 is the embeddings, with positions added, as the first layer reads them; layer i is the output of
    block i, counted from 1. The output of the last block stands behind the final norm, where there is one:
    these are the `hidden_states` of transformers.

        embeddings       layer 0
        last             layer L
        second-to-last   layer L - 1
        sum-last-4       layers L - 3 to L, added
        concat-last-4    layers L - 3 to L, side by side
        all              layers 0 to L, side by side; reshaped to [L + 1, D] each stands for itself
        0,6,12           these layers, side by side

    Attributes:
      name: as above.
      layers: their numbers.
      joined: how several become one vector.
    """

    name: str
    layers: tuple[int, ...]
    joined: Literal["side by side", "added"] = "side by side"

    @classmethod
    def of(cls, name: str, num_layers: int) -> "LayerChoice":
        """The choice with a name, of a model with so many blocks.

        Raises:
          ValueError: for another name, or a layer that the model has not.
        """
        if match := _LAST.fullmatch(name):
            count = int(match[2])
            if count > num_layers:
                raise ValueError(f"layers={name}: the model has {num_layers} layers behind its embeddings")
            layers = tuple(range(num_layers - count + 1, num_layers + 1))
            return cls(name, layers, "added" if match[1] == "sum" else "side by side")
        if name == "all":
            return cls(name, tuple(range(num_layers + 1)))
        return cls(name, tuple(_layer(name, part.strip(), num_layers) for part in name.split(",")))

    def joins(self, states: Sequence[Float[Array, "B T _"]]) -> Float[Array, "B T _"]:
        """The features of each token, in float32.

        Args:
          states: of layers 0 to L.

        Raises:
          ValueError: if layers of several widths are to be added.
        """
        chosen = [states[layer].astype(jnp.float32) for layer in self.layers]
        if self.joined == "side by side":
            return jnp.concatenate(chosen, axis=-1)
        widths = sorted({state.shape[-1] for state in chosen})
        if len(widths) > 1:
            raise ValueError(f"layers={self.name}: widths {widths} cannot be added; take concat")
        return sum(chosen[1:], chosen[0])


def _layer(name: str, part: str, num_layers: int) -> int:
    """The number of one layer."""
    if part.isdecimal() and len(part) < 7:
        number = int(part)
    elif part in _NAMED:
        number = _NAMED[part] + (num_layers + 1 if _NAMED[part] < 0 else 0)
    else:
        raise ValueError(f"layers={name}: {USAGE} is needed")
    if not 0 <= number <= num_layers:
        raise ValueError(f"layers={name}: the model has layers 0 (embeddings) to {num_layers}")
    return number
