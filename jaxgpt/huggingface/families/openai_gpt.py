"""GPT-1 (Radford et al. 2018)."""

import dataclasses
from collections.abc import Container, Iterator

from jaxgpt.core.nested import made
from jaxgpt.huggingface.config_fields import Field, Given
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.tensors import Entry, linear, norm, table
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned


@dataclasses.dataclass(frozen=True)
class OpenAIGPT(Family):
    """GPT-1 (Radford et al. 2018)."""

    architecture = "OpenAIGPTLMHeadModel"
    position = Learned
    prefix = "transformer."
    tokens = "tokens_embed.weight"
    ignored = {
        r"(transformer\.)?h\.\d+\.attn\.bias": "the causal mask, which is computed",
        r"(transformer\.)?position_ids": "positions, which are counted",
    }
    aliases = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    fields = (
        Field("vocab_size", "vocab_size", 40478),
        Field("n_positions", "max_length", 512),
        Field("n_layer", "num_layers", 12),
        Field("n_embd", "d_model", 768),
        Field("n_head", "num_heads", 12),
        Field("layer_norm_epsilon", "norm_epsilon", 1e-5),
        # Their "gelu" is the tanh form in this model.
        Field("afn", "mlp.activation", "gelu", {"gelu": "gelu_tanh", "relu": "relu", "silu": "silu"}),
        Field("resid_pdrop", "dropout", 0.1),
        Field("attn_pdrop", "attention.dropout", 0.1),
        Field("initializer_range", "init_std", 0.02),
    )

    def config(self, given: Given) -> ModelConfig:
        return made(
            ModelConfig, position=Learned(), wiring="post", residual_init="plain", **given.read(self.fields)
        )

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from table(".tokens_embed.weight", "embedding.table")
        yield from table(".positions_embed.weight", "decoder.tables.table")
        for i in range(config.num_layers):
            theirs, ours = f".h.{i}", f"decoder.blocks.{i}"
            qkv = [f"{ours}.attention.{name}" for name in ("query", "key", "value")]
            yield from linear(f"{theirs}.attn.c_attn", *qkv, form="conv")
            yield from linear(f"{theirs}.attn.c_proj", f"{ours}.attention.out", form="conv", inputs=2)
            yield from norm(f"{theirs}.ln_1", f"{ours}.norms.0")
            yield from linear(f"{theirs}.mlp.c_fc", f"{ours}.mlp.up", form="conv")
            yield from linear(f"{theirs}.mlp.c_proj", f"{ours}.mlp.down", form="conv")
            yield from norm(f"{theirs}.ln_2", f"{ours}.norms.1")
