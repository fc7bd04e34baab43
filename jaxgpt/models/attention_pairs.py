"""Products of a query and a key that the layers of a stack compute, where attention is written out.

`jaxgpt.models.layer_inputs` decides how a layer computes attention, and this counts it, for tokens that are
read without a cache, as in training. Of a mask all pairs are computed, also those that it hides; blocks and
chunks are filled up to whole ones.
"""

from typing import TYPE_CHECKING

from jaxgpt.nn.sparse.base import Blocks, Hashing

if TYPE_CHECKING:
    from jaxgpt.models.config import ModelConfig


def window_blocks(window: int, length: int, *, causal: bool) -> Blocks | None:
    """The blocks that a window is computed by; None: the text is so short that a mask costs no more."""
    if length <= (3 if causal else 4) * window:
        return None
    return Blocks(window, 1, 0 if causal else 1, reach=window - 1)


def meets_all(config: "ModelConfig") -> bool:
    """Whether in every layer each token meets all tokens of its row, and nothing else."""
    return config.window is None and config.sparse is None and config.memory is None


def stack_pairs(config: "ModelConfig", depth: int, length: int, *, causal: bool) -> int:
    """The pairs in all layers of a stack, those of tokens that see all left out.

    Args:
      depth: layers, as often as they are applied.
      length: tokens in a row, padding included.
      causal: whether it is a decoder.
    """
    if meets_all(config):
        return depth * length**2
    return sum(_layer_pairs(config, layer, length, causal) for layer in range(depth))


def global_pairs(config: "ModelConfig", depth: int, length: int, *, causal: bool) -> int:
    """What a token that sees all and is seen by all adds to them: each query meets it, and it meets all."""
    plans = (_plan(config, layer, length, causal) for layer in range(depth))
    return sum(found.filled(filled) + length for found, filled in plans)


def stack_turns(config: "ModelConfig", depth: int, length: int, *, causal: bool) -> int:
    """Products of a token and a vector of the rotations that hash it, in all layers."""
    if config.sparse is None:
        return 0
    plans = (_plan(config, layer, length, causal) for layer in range(depth))
    return sum(found.turns(filled) for found, filled in plans if isinstance(found, Hashing))


def _layer_pairs(config: "ModelConfig", layer: int, length: int, causal: bool) -> int:
    if config.memory is not None:
        # What is remembered lies in a cache, which is met whole, by each segment of the row.
        return length * (length + config.memory)
    if config.sparse is not None:
        found, filled = _plan(config, layer, length, causal)
        return found.pairs(filled)
    windowed = config.window_layers or (True,)
    blocks = window_blocks(config.window, length, causal=causal) if windowed[layer % len(windowed)] else None
    return length**2 if blocks is None else blocks.pairs(length)


def _plan(config: "ModelConfig", layer: int, length: int, causal: bool) -> tuple[Blocks | Hashing, int]:
    """What a layer of a sparse scheme does, and the length that the tokens are padded to."""
    filled = config.sparse.padded(length)
    found = config.sparse.layer(layer, length=filled, max_length=config.max_length, causal=causal)
    return found, filled
