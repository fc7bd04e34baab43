"""Qwen3 (Yang et al. 2025, arXiv 2505.09388)."""

import dataclasses

from jaxgpt.core.nested import replaced
from jaxgpt.huggingface.config_fields import Field, Given, windowed
from jaxgpt.huggingface.families.llama import Llama
from jaxgpt.models.config import ModelConfig

_DEFAULTS = {"vocab_size": 151936, "max_position_embeddings": 32768, "intermediate_size": 22016}


@dataclasses.dataclass(frozen=True)
class Qwen3(Llama):
    """Llama with norms on queries and keys; later layers may have a window."""

    architecture = "Qwen3ForCausalLM"
    fields = (
        *(
            dataclasses.replace(field, default=_DEFAULTS.get(field.theirs, field.default))
            for field in Llama.fields
            if field.theirs not in ("head_dim", "mlp_bias", "num_key_value_heads")
        ),
        Field("num_key_value_heads", "attention.num_kv_heads", 32, nullable=True),
        Field("head_dim", "attention.head_dim", 128),
    )

    def config(self, given: Given) -> ModelConfig:
        found = replaced(super().config(given), {"attention.qk_norm": True, "mlp.bias": False})
        windowed, depth = given.get("use_sliding_window", False), found.num_layers
        first = given.get("max_window_layers", 28) if windowed else depth
        types = given.fields.get("layer_types")
        if types is None:
            types = ["full_attention" if layer < first else "sliding_attention" for layer in range(depth)]
        windows = window_layers(given, types, depth)
        if not windowed and any(windows):
            raise ValueError(f"{given.source}: layer_types name windows, and use_sliding_window is not true")
        if not windowed:
            return found
        return dataclasses.replace(found, window=given.get("sliding_window", 4096), window_layers=windows)

    def describe(self, config: ModelConfig) -> dict:
        windows = {"use_sliding_window": config.window is not None, "sliding_window": config.window}
        if config.window is not None:
            windows["layer_types"] = layer_types(config)
        return super().describe(config) | windows


def window_layers(given: Given, types: list[str], depth: int) -> tuple[bool, ...]:
    """Which layers have a window, by `layer_types`.

    Raises:
      ValueError: for an unknown type, or if they are not as many as the layers.
    """
    known = {"full_attention": False, "sliding_attention": True}
    if not isinstance(types, list) or len(types) != depth or any(name not in list(known) for name in types):
        raise ValueError(
            f"{given.source}: layer_types={types} must name full_attention or sliding_attention {depth} times"
        )
    return tuple(known[name] for name in types)


def layer_types(config: ModelConfig) -> list[str]:
    """The `layer_types` of a model."""
    return ["sliding_attention" if local else "full_attention" for local in windowed(config)]
