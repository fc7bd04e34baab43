"""Mistral (Jiang et al. 2023, arXiv 2310.06825)."""

import dataclasses

from jaxgpt.core.nested import replaced
from jaxgpt.huggingface.config_fields import Field
from jaxgpt.huggingface.families.llama import Llama

_DEFAULTS = {"max_position_embeddings": 131072, "intermediate_size": 14336}


@dataclasses.dataclass(frozen=True)
class Mistral(Llama):
    """Llama with a window in every layer."""

    architecture = "MistralForCausalLM"
    fields = (
        *(
            dataclasses.replace(field, default=_DEFAULTS.get(field.theirs, field.default))
            for field in Llama.fields
            if field.theirs not in ("attention_bias", "mlp_bias", "num_key_value_heads")
        ),
        Field("num_key_value_heads", "attention.num_kv_heads", 8, nullable=True),
        Field("sliding_window", "window", 4096, nullable=True),
    )

    def config(self, given):
        found = super().config(given)
        return replaced(found, {"attention.bias": False, "attention.out_bias": False, "mlp.bias": False})
