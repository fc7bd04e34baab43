"""Qwen3 (Yang et al. 2025, arXiv 2505.09388)."""

import dataclasses

from jaxgpt.huggingface.families.llama import Llama
from jaxgpt.huggingface.fields import Field, Given
from jaxgpt.models.config import ModelConfig


@dataclasses.dataclass(frozen=True)
class Qwen3(Llama):
    """Llama with norms on queries and keys; later layers may have a window."""

    architecture = "Qwen3ForCausalLM"
    fields = (
        *(field for field in Llama.fields if field.theirs not in ("head_dim", "mlp_bias")),
        Field("head_dim", "head_dim", 128),
    )

    def config(self, given: Given) -> ModelConfig:
        found = dataclasses.replace(super().config(given), qk_norm=True, mlp_bias=False)
        if not given.get("use_sliding_window", False):
            return found
        depth, first = found.num_layers, given.get("max_window_layers", 28)
        types = given.fields.get("layer_types") or ["full_attention"] * first + ["sliding_attention"] * depth
        return dataclasses.replace(
            found,
            window=given.get("sliding_window", 4096),
            window_layers=window_layers(given, types[:depth], depth),
        )

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
    if len(types) != depth or not set(types) <= set(known):
        raise ValueError(
            f"{given.source}: layer_types={types} must name full_attention or sliding_attention {depth} times"
        )
    return tuple(known[name] for name in types)


def layer_types(config: ModelConfig) -> list[str]:
    """The `layer_types` of a model with a window."""
    pattern = config.window_layers or (True,)
    names = ("full_attention", "sliding_attention")
    return [names[pattern[i % len(pattern)]] for i in range(config.num_layers)]
