"""Phi-3 (Abdin et al. 2024, arXiv 2404.14219)."""

import dataclasses
from collections.abc import Container, Iterator

from jaxgpt.core.nested import made
from jaxgpt.huggingface import rope
from jaxgpt.huggingface.config_fields import Field, Given
from jaxgpt.huggingface.families.llama import Llama
from jaxgpt.huggingface.tensors import Entry, linear, norm, table
from jaxgpt.models.config import ModelConfig

_DEFAULTS = {
    "vocab_size": 32064,
    "max_position_embeddings": 4096,
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "rms_norm_eps": 1e-5,
}


@dataclasses.dataclass(frozen=True)
class Phi3(Llama):
    """Llama with queries, keys and values in one matrix, gate and up in another."""

    architecture = "Phi3ForCausalLM"
    fields = (
        *(
            dataclasses.replace(field, default=_DEFAULTS.get(field.theirs, field.default))
            for field in Llama.fields
            if field.theirs not in ("attention_bias", "mlp_bias")
        ),
        Field("sliding_window", "window"),
        Field("resid_pdrop", "dropout", 0.0),
    )

    def config(self, given: Given) -> ModelConfig:
        found = given.read(self.fields)
        width = found["attention.head_dim"] or found["d_model"] // max(found["num_heads"], 1)
        position = rope.read_partial(given, width)
        if position.factor != 1:
            raise ValueError(
                f"{given.source}: rope_type of a phi3 model must be default; longrope is not supported"
            )
        return made(
            ModelConfig,
            position=position,
            norm="rms",
            residual_init="plain",
            **found,
            **{"attention.bias": False, "attention.out_bias": False, "mlp.bias": False},
        )

    def describe(self, config: ModelConfig) -> dict:
        found = super().describe(config) | rope.partial_fields(config.position, config.resolved_head_dim)
        found["head_dim"] = config.resolved_head_dim  # null is an error in transformers
        return found | {"pad_token_id": None}  # that of Phi-3 mini is outside of a smaller vocabulary

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from table(".embed_tokens.weight", "embedding.table")
        groups = config.attention.num_kv_heads or config.num_heads
        for i in range(config.num_layers):
            theirs, ours = f".layers.{i}", f"decoder.blocks.{i}"
            maps = tuple(f"{ours}.attention.{name}.kernel" for name in ("query", "key", "value"))
            yield Entry(f"{theirs}.self_attn.qkv_proj.weight", maps, sizes=(config.num_heads, groups, groups))
            yield from linear(f"{theirs}.self_attn.o_proj", f"{ours}.attention.out", bias=False, inputs=2)
            for index, name in enumerate(self.norms):
                yield from norm(f"{theirs}.{name}", f"{ours}.norms.{index}", bias=False)
            both = (f"{ours}.mlp.gate", f"{ours}.mlp.up")
            yield from linear(f"{theirs}.mlp.gate_up_proj", *both, bias=False)
            yield from linear(f"{theirs}.mlp.down_proj", f"{ours}.mlp.down", bias=False)
        yield from norm(".norm", "decoder.norm", bias=False)
