"""Gemma 3's language model (Gemma Team 2025, arXiv 2503.19786)."""

import dataclasses

from jaxgpt.core.nested import replaced
from jaxgpt.huggingface import rope
from jaxgpt.huggingface.config_fields import Given
from jaxgpt.huggingface.families.gemma2 import Gemma2
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.rotary import Rotary

_DEFAULTS = {
    "vocab_size": 262208,
    "max_position_embeddings": 131072,
    "final_logit_softcapping": None,
}


@dataclasses.dataclass(frozen=True)
class Gemma3(Gemma2):
    """Gemma 2 with norms on queries and keys, five windows to a full layer, and shorter waves in windows."""

    architecture = "Gemma3ForCausalLM"
    fields = (
        *(
            dataclasses.replace(
                f, default=_DEFAULTS.get(f.theirs, f.default), kind=float if f.nullable else None
            )
            for f in Gemma2.fields
            if f.ours != "attention.softcap"
        ),
    )
    pattern = (True, True, True, True, True, False)

    def config(self, given: Given) -> ModelConfig:
        given.require("use_bidirectional_attention", False)
        given.require("attn_logit_softcapping", None)  # it is never applied in transformers
        return replaced(
            super().config(given),
            {"attention.qk_norm": True, "window_position": rope.read(given, kind="sliding_attention")},
        )

    def rotary(self, given: Given) -> Rotary:
        return rope.read(given, theta=1_000_000.0, kind="full_attention")

    def describe(self, config: ModelConfig) -> dict:
        local = config.window_position or config.position
        if not isinstance(local, Rotary):
            raise ValueError(
                f"a model of type gemma3_text has window_position=rotary, not {type(local).kind()}"
            )
        return super().describe(config) | {
            "rope_local_base_freq": local.theta,
            "rope_parameters": {
                "full_attention": rope.write(config.position),
                "sliding_attention": rope.write(local),
            },
        }
