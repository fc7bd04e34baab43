"""OLMo 2 (OLMo Team 2024, arXiv 2501.00656)."""

import dataclasses

from jaxgpt.core.nested import replaced
from jaxgpt.huggingface.config_fields import Given
from jaxgpt.huggingface.families.llama import Llama
from jaxgpt.models.config import ModelConfig

_DEFAULTS = {"vocab_size": 50304, "rms_norm_eps": 1e-5}


@dataclasses.dataclass(frozen=True)
class Olmo2(Llama):
    """Llama with norms behind the sublayers, and on all heads' queries and keys as one."""

    architecture = "Olmo2ForCausalLM"
    fields = tuple(
        dataclasses.replace(field, default=_DEFAULTS.get(field.theirs, field.default))
        for field in Llama.fields
        if field.theirs != "mlp_bias"
    )
    norms = ("post_attention_layernorm", "post_feedforward_layernorm")

    def config(self, given: Given) -> ModelConfig:
        return replaced(
            super().config(given),
            {
                "mlp.bias": False,
                "wiring": "res_post",
                "attention.qk_norm": True,
                "attention.qk_norm_over": "all",
            },
        )

    def describe(self, config: ModelConfig) -> dict:
        # Null is an error in transformers, and its padding may be outside of a smaller vocabulary.
        return super().describe(config) | {"head_dim": config.resolved_head_dim, "pad_token_id": None}
