"""Attention (Vaswani et al. 2017, arXiv 1706.03762)."""

import dataclasses
from typing import ClassVar

import jax.numpy as jnp

from jaxgpt.models.attention_pairs import meets_all, stack_pairs, stack_turns
from jaxgpt.models.mixers.base import Computed, Mixer
from jaxgpt.models.stack import Stack
from jaxgpt.nn.kernels import fused


@dataclasses.dataclass(frozen=True)
class AttentionMixer(Mixer):
    """Attention in each layer: a transformer. The model's own fields describe it."""

    kinds: ClassVar[tuple[str, ...]] = ("decoder", "encoder", "encoder_decoder")

    def build(self, config, role, rngs):
        return Stack(config, role=role, rngs=rngs)

    def check(self, config):
        """Nothing: the fields of the model are those of attention."""

    def unpackable(self, config):
        if config.sparse is not None:
            kind = type(config.sparse).kind()
            return f"sparse={kind} cuts a row without regard to documents; use window, or sparse=none"
        if config.memory is not None:
            return f"memory={config.memory} goes on from row to row; set memory=none"
        return ""

    def flops(self, config, *, tokens, source):
        """12 H Q for each query and key that meet: L T of them a token, where all tokens do.

        Chowdhery et al. 2022, arXiv 2204.02311, appendix B. With a window, a sparse scheme or memory they are
        those that the layers compute (`jaxgpt.models.attention_pairs`). Hashing has no backward pass.
        """
        width, depth = config.num_heads * config.resolved_head_dim, config.num_layers * config.loops
        causal = config.kind != "encoder"
        products = width * stack_pairs(config, depth, tokens, causal=causal)
        turned = width * stack_turns(config, depth, tokens, causal=causal)
        if config.kind == "encoder_decoder":
            encoder = config.of_encoder
            encoder_width = encoder.num_heads * encoder.resolved_head_dim
            encoder_depth = config.num_encoder_layers * config.loops
            products += encoder_width * stack_pairs(config, encoder_depth, source, causal=False)
            products += depth * width * tokens * source
        return 12 * products + 2 * turned

    def formula(self, config):
        if not meets_all(config):
            hashes = config.sparse is not None and any(
                map(config.sparse.shares_keys, range(config.num_layers))
            )
            beside = " + 2 x width x products with rotations for hashing" if hashes else ""
            return f"12 x width x pairs of a query and a key in all layers for attention{beside}"
        loops = "loops x " if config.loops > 1 else ""
        pairs = "pairs of tokens" if config.kind == "encoder_decoder" else "length x tokens"
        return f"12 x layers x {loops}width x {pairs} for attention"

    def attention(self, config) -> Computed:
        fits = config.kind == "decoder" and config.attention.kernel == "fused"
        has_kernel = fits and fused.available(jnp.dtype(config.dtype), config.resolved_head_dim)
        return "one kernel" if has_kernel else "written out"
