"""What follows from an experiment, its tokenizer and its data, and what it was computed with."""

import dataclasses
from typing import Annotated, Literal, Self

import jax.numpy as jnp

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.template import Template
from jaxgpt.nn.kernels import fused

Attention = Literal["one kernel", "written out", "none"]


@dataclasses.dataclass(frozen=True)
class Resolved:
    """What a run found out about its experiment; it stands beside it in `resolved.json`."""

    steps: Annotated[int, "of the whole training; of training.epochs, as many as its data make"]
    vocab_size: Annotated[int, "ids of the model, those without a text among them"]
    mask_id: Annotated[int | None, "id that hides a token of an encoder"]
    marks: Annotated[int, "ids behind the tokenizer's, for what noise takes out of a text"]
    label_names: Annotated[tuple[str, ...], "what the labels are called, in the order of their numbers"]
    fingerprint: Annotated[str, "of the task's files: size and digest of each"]
    attention: Annotated[Attention, "how the attention of a plain layer was computed"]
    parameters: Annotated[int, "weights of one replica"]

    @classmethod
    def of(cls, template: Template, *, steps: int, fingerprint: str) -> Self:
        """For a model with its vocabulary, on the device that computes by default."""
        model = template.config
        return cls(
            steps=steps,
            vocab_size=model.vocab_size,
            mask_id=model.mask_id,
            marks=model.marks,
            label_names=model.label_names,
            fingerprint=fingerprint,
            attention=_attention(model),
            parameters=template.num_params,
        )


def _attention(model: ModelConfig) -> Attention:
    if model.mixer != "attention":
        return "none"
    fits = model.kind == "decoder" and model.attention_kernel == "fused"
    has_kernel = fits and fused.available(jnp.dtype(model.dtype), model.resolved_head_dim)
    return "one kernel" if has_kernel else "written out"
