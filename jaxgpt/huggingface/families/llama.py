"""Llama (Touvron et al. 2023, arXiv 2302.13971)."""

import dataclasses
from collections.abc import Container, Iterator

from jaxgpt.core.nested import made
from jaxgpt.huggingface import rope
from jaxgpt.huggingface.config_fields import GATED, Field, Given
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.tensors import Entry, attention, linear, norm, table
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.rotary import Rotary


@dataclasses.dataclass(frozen=True)
class Llama(Family):
    """Llama: RMS norms, gated SiLU, rotary, grouped queries; Mistral, Qwen and Gemma build on it."""

    architecture = "LlamaForCausalLM"
    position = Rotary
    tokens = "embed_tokens.weight"
    tied = False
    ignored = {r"(model\.)?layers\.\d+\.self_attn\.rotary_emb\.inv_freq": "rotary waves, which are computed"}

    fields = (
        Field("vocab_size", "vocab_size", 32000),
        Field("max_position_embeddings", "max_length", 2048),
        Field("num_hidden_layers", "num_layers", 32),
        Field("hidden_size", "d_model", 4096),
        Field("num_attention_heads", "num_heads", 32),
        Field("num_key_value_heads", "attention.num_kv_heads"),
        Field("head_dim", "attention.head_dim"),
        Field("intermediate_size", "d_ff", 11008),
        Field("rms_norm_eps", "norm_epsilon", 1e-6),
        Field("hidden_act", "mlp.activation", "silu", GATED),
        Field("attention_bias", "attention.bias", False),
        Field("attention_bias", "attention.out_bias", False),
        Field("mlp_bias", "mlp.bias", False),
        Field("attention_dropout", "attention.dropout", 0.0),
        Field("initializer_range", "init_std", 0.02),
    )

    #: Where the norms of a block stand in a file, in our order.
    norms = ("input_layernorm", "post_attention_layernorm")

    def config(self, given: Given) -> ModelConfig:
        return made(
            ModelConfig,
            position=self.rotary(given),
            norm="rms",
            residual_init="plain",
            **given.read(self.fields),
        )

    def rotary(self, given: Given) -> Rotary:
        """The positions, of layers without a window where those with one have others."""
        return rope.read(given)

    def describe(self, config: ModelConfig) -> dict:
        return super().describe(config) | rope.fields(config.position)

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from table(".embed_tokens.weight", "embedding.table")
        for i in range(config.num_layers):
            theirs, ours = f".layers.{i}", f"decoder.blocks.{i}"
            maps = [f"{theirs}.self_attn.{name}_proj" for name in "qkvo"]
            yield from attention(
                maps,
                f"{ours}.attention",
                bias=config.attention.bias,
                out_bias=config.attention.out_bias,
            )
            if config.attention.qk_norm:
                yield from norm(f"{theirs}.self_attn.q_norm", f"{ours}.attention.query_norm", bias=False)
                yield from norm(f"{theirs}.self_attn.k_norm", f"{ours}.attention.key_norm", bias=False)
            for index, name in enumerate(self.norms):
                yield from norm(f"{theirs}.{name}", f"{ours}.norms.{index}", bias=False)
            for name in ("gate", "up", "down"):
                yield from linear(f"{theirs}.mlp.{name}_proj", f"{ours}.mlp.{name}", bias=config.mlp.bias)
        yield from norm(".norm", "decoder.norm", bias=False)
