"""OPT (Zhang et al. 2022, arXiv 2205.01068)."""

import dataclasses
from collections.abc import Container, Iterator
from typing import Any

from jaxgpt.core.nested import made
from jaxgpt.huggingface.config_fields import ACTIVATIONS, Field, Given
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.tensors import Entry, attention, linear, norm, table
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned

#: Rows of the position table before the first position.
SKIP = 2


@dataclasses.dataclass(frozen=True)
class OPT(Family):
    """GPT-2's layers with ReLU, or post-norm; positions begin at row 2, whatever the padding."""

    architecture = "OPTForCausalLM"
    position = Learned
    tokens = "decoder.embed_tokens.weight"

    fields = (
        Field("vocab_size", "vocab_size", 50272),
        Field("max_position_embeddings", "max_length", 2048),
        Field("num_hidden_layers", "num_layers", 12),
        Field("hidden_size", "d_model", 768),
        Field("num_attention_heads", "num_heads", 12),
        Field("ffn_dim", "d_ff", 3072),
        Field("do_layer_norm_before", "wiring", True, {True: "pre", False: "post"}),
        Field("activation_function", "mlp.activation", "relu", ACTIVATIONS),
        Field("enable_bias", "attention.bias", True),
        Field("enable_bias", "attention.out_bias", True),
        Field("enable_bias", "mlp.bias", True),
        Field("dropout", "dropout", 0.1),
        Field("attention_dropout", "attention.dropout", 0.0),
        Field("init_std", "init_std", 0.02),
    )

    def config(self, given: Given) -> ModelConfig:
        found = given.read(self.fields)
        given.require("_remove_final_layer_norm", False)
        given.require("layer_norm_elementwise_affine", True)
        given.require("word_embed_proj_dim", found["d_model"])
        return made(ModelConfig, position=Learned(), residual_init="plain", **found)

    def describe(self, config: ModelConfig) -> dict[str, Any]:
        return super().describe(config) | {"word_embed_proj_dim": config.d_model}

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from table(".decoder.embed_tokens.weight", "embedding.table")
        yield from table(".decoder.embed_positions.weight", "decoder.tables.table", skip=SKIP)
        bias = config.mlp.bias
        for i in range(config.num_layers):
            theirs, ours = f".decoder.layers.{i}", f"decoder.blocks.{i}"
            maps = [f"{theirs}.self_attn.{name}_proj" for name in ("q", "k", "v", "out")]
            yield from norm(f"{theirs}.self_attn_layer_norm", f"{ours}.norms.0")
            yield from attention(
                maps, f"{ours}.attention", bias=config.attention.bias, out_bias=config.attention.out_bias
            )
            yield from norm(f"{theirs}.final_layer_norm", f"{ours}.norms.1")
            yield from linear(f"{theirs}.fc1", f"{ours}.mlp.up", bias=bias)
            yield from linear(f"{theirs}.fc2", f"{ours}.mlp.down", bias=bias)
        if config.wiring != "post":
            yield from norm(".decoder.final_layer_norm", "decoder.norm")
