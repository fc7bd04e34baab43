"""Qwen2 (Yang et al. 2024, arXiv 2407.10671)."""

import dataclasses

from jaxgpt.core.nested import replaced
from jaxgpt.huggingface.config_fields import Field, Given
from jaxgpt.huggingface.families.llama import Llama
from jaxgpt.huggingface.families.qwen3 import Qwen3
from jaxgpt.models.config import ModelConfig

_DEFAULTS = {"vocab_size": 151936, "max_position_embeddings": 32768, "intermediate_size": 22016}
_LEFT = ("attention_bias", "mlp_bias", "num_key_value_heads")


@dataclasses.dataclass(frozen=True)
class Qwen2(Qwen3):
    """Llama with biases on queries, keys and values; later layers may have a window."""

    architecture = "Qwen2ForCausalLM"
    fields = (
        *(
            dataclasses.replace(field, default=_DEFAULTS.get(field.theirs, field.default))
            for field in Llama.fields
            if field.theirs not in _LEFT
        ),
        Field("num_key_value_heads", "attention.num_kv_heads", 32, nullable=True),
    )

    def config(self, given: Given) -> ModelConfig:
        found = super().config(given)
        return replaced(
            found, {"attention.qk_norm": False, "attention.bias": True, "attention.out_bias": False}
        )

    def describe(self, config: ModelConfig) -> dict:
        # Null is an error in transformers.
        return super().describe(config) | {"head_dim": config.resolved_head_dim}
