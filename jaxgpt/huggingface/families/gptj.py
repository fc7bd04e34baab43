"""GPT-J (Wang & Komatsuzaki 2021): parallel sublayers, rotary positions on part of each head."""

import dataclasses
from collections.abc import Container, Iterator

from jaxgpt.core.nested import made
from jaxgpt.huggingface.config_fields import ACTIVATIONS, Field, Given
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.tensors import Entry, attention, linear, norm, table, vector
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.rotary import Rotary


@dataclasses.dataclass(frozen=True)
class GPTJ(Family):
    """GPT-J (Wang & Komatsuzaki 2021): parallel sublayers, rotary positions on part of each head."""

    architecture = "GPTJForCausalLM"
    position = Rotary
    prefix = "transformer."
    tokens = "wte.weight"
    tied = False
    ignored = {
        r"(transformer\.)?h\.\d+\.attn\.(bias|masked_bias)": "the causal mask, which is computed",
        r"(transformer\.)?h\.\d+\.attn\.embed_positions": "rotary waves, which are computed",
    }
    aliases = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    fields = (
        Field("vocab_size", "vocab_size", 50400),
        Field("n_positions", "max_length", 2048),
        Field("n_layer", "num_layers", 28),
        Field("n_embd", "d_model", 4096),
        Field("n_head", "num_heads", 16),
        Field("n_inner", "d_ff"),
        Field("layer_norm_epsilon", "norm_epsilon", 1e-5),
        Field("activation_function", "mlp.activation", "gelu_new", ACTIVATIONS),
        Field("resid_pdrop", "dropout", 0.0),
        Field("attn_pdrop", "attention.dropout", 0.0),
        Field("initializer_range", "init_std", 0.02),
    )

    def config(self, given: Given) -> ModelConfig:
        rotary = given.get("rotary_dim", 64)
        if rotary < 1:
            raise ValueError(f"{given.source}: rotary_dim={rotary} must be at least 1")
        return made(
            ModelConfig,
            position=Rotary(rotary_dim=rotary, pairing="interleaved"),
            wiring="parallel",
            residual_init="plain",
            **given.read(self.fields),
            **{
                "attention.bias": False,
                "attention.out_bias": False,
                "head.bias": "lm_head.bias" in given.tensors,
            },
        )

    def describe(self, config: ModelConfig) -> dict:
        return super().describe(config) | {
            "rotary_dim": config.position.rotary_dim or config.resolved_head_dim
        }

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from table(".wte.weight", "embedding.table")
        for i in range(config.num_layers):
            theirs, ours = f".h.{i}", f"decoder.blocks.{i}"
            maps = [f"{theirs}.attn.{name}_proj" for name in ("q", "k", "v", "out")]
            yield from norm(f"{theirs}.ln_1", f"{ours}.norms.0")
            yield from attention(maps, f"{ours}.attention", bias=False, out_bias=False)
            yield from linear(f"{theirs}.mlp.fc_in", f"{ours}.mlp.up")
            yield from linear(f"{theirs}.mlp.fc_out", f"{ours}.mlp.down")
        yield from norm(".ln_f", "decoder.norm")
        if config.head.bias:
            yield from vector("lm_head.bias", "head_bias")
