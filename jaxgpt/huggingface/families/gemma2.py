"""Gemma 2 (Gemma Team 2024, arXiv 2408.00118)."""

import dataclasses

from jaxgpt.core.nested import replaced
from jaxgpt.huggingface.config_fields import GATED, Field, Given
from jaxgpt.huggingface.families.gemma import Gemma
from jaxgpt.huggingface.families.qwen3 import layer_types, window_layers
from jaxgpt.models.config import ModelConfig

_DEFAULTS = {
    "num_hidden_layers": 26,
    "hidden_size": 2304,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "intermediate_size": 9216,
}


@dataclasses.dataclass(frozen=True)
class Gemma2(Gemma):
    """Gemma with norms before and after each sublayer, windows in every other layer, and soft caps."""

    architecture = "Gemma2ForCausalLM"
    fields = (
        *(dataclasses.replace(f, default=_DEFAULTS.get(f.theirs, f.default)) for f in Gemma.fields),
        Field("sliding_window", "window", 4096),
        Field("attn_logit_softcapping", "attention.softcap", 50.0, nullable=True),
        Field("final_logit_softcapping", "head.softcap", 30.0, nullable=True),
    )
    activation = Field("hidden_activation", "mlp.activation", "gelu_pytorch_tanh", GATED)
    other = None
    norms = (
        "input_layernorm",
        "pre_feedforward_layernorm",
        "post_attention_layernorm",
        "post_feedforward_layernorm",
    )
    #: The layers with a window where a file does not name them.
    pattern = (True, False)

    def config(self, given: Given) -> ModelConfig:
        found = super().config(given)
        every = given.get("sliding_window_pattern")
        layers = range(found.num_layers)
        windows = tuple(
            bool((i + 1) % every) if every else self.pattern[i % len(self.pattern)] for i in layers
        )
        if (types := given.fields.get("layer_types")) is not None:
            windows = window_layers(given, types, found.num_layers)
        scalar = given.get("query_pre_attn_scalar", 256.0)
        if not scalar > 0:
            raise ValueError(f"{given.source}: query_pre_attn_scalar={scalar:g} must be positive")
        return replaced(
            found, {"wiring": "sandwich", "window_layers": windows, "attention.scale": scalar**-0.5}
        )

    def describe(self, config: ModelConfig) -> dict:
        scale = config.attention.scale or config.resolved_head_dim**-0.5
        return super().describe(config) | {
            "layer_types": layer_types(config),
            "query_pre_attn_scalar": round(scale**-2),
        }
