"""mT5 (Xue et al. 2021, arXiv 2010.11934)."""

import dataclasses

from jaxgpt.core.nested import replaced
from jaxgpt.huggingface.config_fields import Given
from jaxgpt.huggingface.families.t5 import T5
from jaxgpt.models.config import ModelConfig

_DEFAULTS = {
    "vocab_size": 250112,
    "num_layers": 8,
    "num_heads": 6,
    "d_ff": 1024,
    "feed_forward_proj": "gated-gelu",
}


@dataclasses.dataclass(frozen=True)
class MT5(T5):
    """T5 1.1 with sentence pieces of a hundred languages; the logits have no factor."""

    architecture = "MT5ForConditionalGeneration"
    fields = tuple(
        dataclasses.replace(field, default=_DEFAULTS.get(field.theirs, field.default)) for field in T5.fields
    )

    def config(self, given: Given) -> ModelConfig:
        # Before version 5, transformers gave logits a factor where the matrix is the embeddings'. Published
        # files have one of their own.
        return replaced(super().config(given), {"head.factor": 1.0})
