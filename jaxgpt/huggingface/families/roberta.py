"""RoBERTa (Liu et al. 2019, arXiv 1907.11692)."""

import dataclasses
from collections.abc import Container, Iterator
from typing import Any

from jaxgpt.data.labelled import CHOICE
from jaxgpt.huggingface.config_fields import Field, Given
from jaxgpt.huggingface.families.bert import Bert, told
from jaxgpt.huggingface.tensors import Entry, linear
from jaxgpt.models.config import ModelConfig

#: Rows of the position table before the first position: padding's, and the one before.
SKIP = 2


@dataclasses.dataclass(frozen=True)
class Roberta(Bert):
    """BERT with byte pairs, positions that begin at row 2, and a classifier with its own pooler."""

    architecture = "RobertaForMaskedLM"
    prefix = "roberta."
    head = "lm_head.decoder.weight"
    padding = SKIP - 1
    ties = {r"lm_head\.decoder\.bias": "lm_head.bias"}
    fields = (
        *(field for field in Bert.fields if field.ours not in ("vocab_size", "max_length", "segments")),
        Field("vocab_size", "vocab_size", 50265),
        Field("type_vocab_size", "segments", 2),
    )
    transform = ("lm_head.dense", "lm_head.layer_norm")
    head_bias = "lm_head.bias"

    def config(self, given: Given) -> ModelConfig:
        if given.get("pad_token_id", SKIP - 1) != SKIP - 1:
            raise ValueError(f"{given.source}: pad_token_id must be {SKIP - 1}, behind which positions begin")
        if self.head_bias in given.tensors:
            given.require("hidden_act", "gelu")  # which the head has in any case
        rows = given.get("max_position_embeddings", 512)
        return dataclasses.replace(super().config(given), max_length=rows - SKIP)

    def describe(self, config: ModelConfig) -> dict[str, Any]:
        return super().describe(config) | {
            "max_position_embeddings": config.max_length + SKIP,
            "pad_token_id": SKIP - 1,
            "bos_token_id": 0,
            "eos_token_id": 2,
        }

    def labels(self, given: Given) -> dict[str, Any]:
        if shape := given.tensors.get("classifier.out_proj.weight"):
            return told(given, "classifier", shape[0]) | {"pooler": True}
        return super().labels(given)

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        # The classifier of whole texts has a pooler of its own.
        own = config.pooler and config.num_labels and config.label_names != CHOICE
        own = own and "classifier.weight" not in tensors
        for entry in super().entries(config, tensors):
            if own and entry.paths[0].split(".")[0] in ("pooler", "labels"):
                continue
            yield entry
        if own:
            yield from linear("classifier.dense", "pooler")
            yield from linear("classifier.out_proj", "labels")

    def embeddings(self, config: ModelConfig, *, skip: int = SKIP) -> Iterator[Entry]:
        yield from super().embeddings(config, skip=skip)
