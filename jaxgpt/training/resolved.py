"""What follows from an experiment, its tokenizer and its data, and what it was computed with."""

import dataclasses
from typing import Annotated, Self

from jaxgpt.models.mixers.base import Computed
from jaxgpt.models.template import Template


@dataclasses.dataclass(frozen=True)
class Resolved:
    """What a run found out about its experiment; it stands beside it in `resolved.json`."""

    steps: Annotated[int, "of the whole training; of training.epochs, as many as its data make"]
    vocab_size: Annotated[int, "ids of the model, those without a text among them"]
    mask_id: Annotated[int | None, "id that hides a token of an encoder"]
    marks: Annotated[int, "ids behind the tokenizer's, for what noise takes out of a text"]
    label_names: Annotated[tuple[str, ...], "what the labels are called, in the order of their numbers"]
    fingerprint: Annotated[str, "of the task's files: size and digest of each"]
    attention: Annotated[Computed, "how the attention of a plain layer was computed"]
    parameters: Annotated[int, "weights of one replica"]
    kept_steps: Annotated[
        tuple[int, ...], "steps of keep_spaced, those of each number of steps that the run was to have"
    ] = ()

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
            attention=model.mixer.attention(model),
            parameters=template.num_params,
        )
