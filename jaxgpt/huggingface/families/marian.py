"""Marian (Junczys-Dowmunt et al. 2018): translation models that are the Transformer of 2017."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from jaxgpt.core.nested import replaced
from jaxgpt.huggingface.config_fields import Given
from jaxgpt.huggingface.families.bart import Bart
from jaxgpt.huggingface.tensors import Entry
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.sinusoidal import Sinusoidal


@dataclasses.dataclass(frozen=True)
class Marian(Bart):
    """BART with sinusoids, sines first, and no norm after the embeddings."""

    architecture = "MarianMTModel"
    position = Sinusoidal
    fields = tuple(
        dataclasses.replace(field, default=58101) if field.theirs == "vocab_size" else field
        for field in Bart.fields
    )
    ignored = {r"(encoder|decoder)\.embed_positions\.weight": "sinusoids, which are computed"}

    def config(self, given: Given) -> ModelConfig:
        given.require("share_encoder_decoder_embeddings", True)
        given.require("decoder_vocab_size", None, given.get("vocab_size", 58101))
        found = super().config(given)
        return replaced(found, {"position": Sinusoidal(layout="split"), "embedding.norm": False})

    def describe(self, config: ModelConfig) -> dict[str, Any]:
        last = config.vocab_size - 1  # padding begins the decoder's text, and their own files have it last
        return super().describe(config) | {"pad_token_id": last, "decoder_start_token_id": last}

    def computed(self, name: str, config: ModelConfig) -> np.ndarray | None:
        if not name.endswith("embed_positions.weight"):
            return None
        waves = 10_000.0 ** (-2 * np.arange((config.d_model + 1) // 2) / config.d_model)
        angles = np.arange(config.max_length)[:, None] * waves
        return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)[:, : config.d_model]

    def positions(self, stack: str) -> Iterator[Entry]:
        return iter(())
