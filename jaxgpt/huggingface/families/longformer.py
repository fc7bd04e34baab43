"""Longformer (Beltagy et al. 2020, arXiv 2004.05150)."""

import dataclasses
from collections.abc import Container, Iterator
from typing import Any

from jaxgpt.huggingface.config_fields import Field, Given
from jaxgpt.huggingface.families.roberta import Roberta
from jaxgpt.huggingface.tensors import Entry, linear
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.sparse.longformer import Longformer as Windows


@dataclasses.dataclass(frozen=True)
class Longformer(Roberta):
    """RoBERTa with windows, and second maps for tokens that see all."""

    architecture = "LongformerForMaskedLM"
    prefix = "longformer."
    fields = (
        *(field for field in Roberta.fields if field.ours != "vocab_size"),
        Field("vocab_size", "vocab_size", 30522),
    )

    def config(self, given: Given) -> ModelConfig:
        config = super().config(given)
        windows = given.fields.get("attention_window", 512)
        windows = windows if isinstance(windows, list) else [windows] * config.num_layers
        if len(windows) != config.num_layers or not all(type(w) is int for w in windows):
            raise ValueError(
                f"{given.source}: attention_window={windows!r} is neither a number nor one a layer"
            )
        return dataclasses.replace(config, sparse=Windows(tuple(windows)))

    def describe(self, config: ModelConfig) -> dict[str, Any]:
        if not isinstance(config.sparse, Windows):
            raise ValueError("a model of type longformer has sparse=longformer, not another attention")
        windows = config.sparse.windows
        return super().describe(config) | {
            "attention_window": [windows[i % len(windows)] for i in range(config.num_layers)]
        }

    def canonical(self, config: ModelConfig) -> ModelConfig:
        windows = config.sparse.windows
        spread = tuple(windows[i % len(windows)] for i in range(config.num_layers))
        return dataclasses.replace(config, sparse=Windows(spread))

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from super().entries(config, tensors)
        for i in range(config.num_layers):
            for name in ("query", "key", "value"):
                theirs = f".encoder.layer.{i}.attention.self.{name}_global"
                yield from linear(theirs, f"encoder.blocks.{i}.attention.second.{name}")
