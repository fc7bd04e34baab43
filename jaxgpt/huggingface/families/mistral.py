"""Mistral (Jiang et al. 2023, arXiv 2310.06825)."""

import dataclasses

from jaxgpt.huggingface.families.llama import Llama
from jaxgpt.huggingface.fields import Field


@dataclasses.dataclass(frozen=True)
class Mistral(Llama):
    """Llama with a window in every layer."""

    architecture = "MistralForCausalLM"
    fields = (
        *(field for field in Llama.fields if field.theirs not in ("attention_bias", "mlp_bias")),
        Field("sliding_window", "window", 4096, nullable=True),
    )

    def config(self, given):
        found = super().config(given)
        return dataclasses.replace(found, attention_bias=False, attention_out_bias=False, mlp_bias=False)
