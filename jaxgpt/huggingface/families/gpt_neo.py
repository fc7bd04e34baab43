"""GPT-Neo (EleutherAI 2021): GPT-3's full and banded layers in turn (Brown et al. 2020, section 2.1)."""

import dataclasses
from collections.abc import Container, Iterator

from jaxgpt.core.nested import made
from jaxgpt.huggingface.config_fields import ACTIVATIONS, Field, Given, windowed
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.tensors import Entry, attention, linear, norm, table
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned

_TYPES = {"global": False, "local": True}


@dataclasses.dataclass(frozen=True)
class GPTNeo(Family):
    """GPT-Neo (EleutherAI 2021): GPT-3's full and banded layers in turn (Brown et al. 2020, section 2.1)."""

    architecture = "GPTNeoForCausalLM"
    position = Learned
    prefix = "transformer."
    tokens = "wte.weight"
    ignored = {
        r"(transformer\.)?h\.\d+\.attn\.attention\.(bias|masked_bias)": "the causal mask, which is computed"
    }
    aliases = {"num_attention_heads": "num_heads", "num_hidden_layers": "num_layers"}

    fields = (
        Field("vocab_size", "vocab_size", 50257),
        Field("max_position_embeddings", "max_length", 2048),
        Field("num_layers", "num_layers", 24),
        Field("hidden_size", "d_model", 2048),
        Field("num_heads", "num_heads", 16),
        Field("intermediate_size", "d_ff"),
        Field("window_size", "window", 256),
        Field("layer_norm_epsilon", "norm_epsilon", 1e-5),
        Field("activation_function", "mlp.activation", "gelu_new", ACTIVATIONS),
        Field("resid_dropout", "dropout", 0.0),
        Field("attention_dropout", "attention.dropout", 0.0),
        Field("initializer_range", "init_std", 0.02),
    )

    def config(self, given: Given) -> ModelConfig:
        found = given.read(self.fields)
        return made(
            ModelConfig,
            position=Learned(),
            window_layers=self.pattern(given, found["num_layers"]),
            residual_init="plain",
            **found,
            **{"attention.scale": 1.0, "attention.bias": False},
        )

    def pattern(self, given: Given, depth: int) -> tuple[bool, ...]:
        """Which layers have a window: `attention_layers`, or else `attention_types`, which it is made of."""
        layers = given.fields.get("attention_layers", [])
        if "attention_layers" in given.fields and not isinstance(layers, list):
            raise ValueError(f"{given.source}: attention_layers={layers!r} is not a list")
        types = given.get("attention_types", [[["global", "local"], 12]])
        try:
            count = sum(len(names) * max(times, 0) for names, times in types)
            if count == depth == (len(layers) or depth):  # known before a list of so many is made
                made = tuple(_TYPES[name] for names, times in types for name in names * times)
                return tuple(_TYPES[name] for name in layers) or made
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f"{given.source}: attention_layers must be a list such as ['global', 'local'], and "
                "attention_types one such as [[['global', 'local'], 12]]"
            ) from error
        raise ValueError(
            f"{given.source}: attention_layers or attention_types name {count} layers, num_layers is {depth}"
        )

    def describe(self, config: ModelConfig) -> dict:
        names = [["local" if local else "global" for local in windowed(config)], 1]
        return super().describe(config) | {"attention_types": [names]}

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from table(".wte.weight", "embedding.table")
        yield from table(".wpe.weight", "decoder.tables.table")
        for i in range(config.num_layers):
            theirs, ours = f".h.{i}", f"decoder.blocks.{i}"
            maps = [f"{theirs}.attn.attention.{name}_proj" for name in ("q", "k", "v", "out")]
            yield from norm(f"{theirs}.ln_1", f"{ours}.norms.0")
            yield from attention(maps, f"{ours}.attention", bias=False)
            yield from norm(f"{theirs}.ln_2", f"{ours}.norms.1")
            yield from linear(f"{theirs}.mlp.c_fc", f"{ours}.mlp.up")
            yield from linear(f"{theirs}.mlp.c_proj", f"{ours}.mlp.down")
        yield from norm(".ln_f", "decoder.norm")
