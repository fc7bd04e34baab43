"""XLM-RoBERTa (Conneau et al. 2020, arXiv 1911.02116)."""

import dataclasses

from jaxgpt.huggingface.config_fields import Field
from jaxgpt.huggingface.families.roberta import Roberta


@dataclasses.dataclass(frozen=True)
class XLMRoberta(Roberta):
    """RoBERTa with sentence pieces of a hundred languages."""

    architecture = "XLMRobertaForMaskedLM"
    fields = (
        *(field for field in Roberta.fields if field.ours != "vocab_size"),
        Field("vocab_size", "vocab_size", 30522),
    )
