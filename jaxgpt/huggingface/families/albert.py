"""ALBERT (Lan et al. 2020, arXiv 1909.11942)."""

import dataclasses
from collections.abc import Container, Iterator
from typing import Any

from jaxgpt.huggingface.config_fields import ACTIVATIONS, Field, Given
from jaxgpt.huggingface.families.bert import Bert
from jaxgpt.huggingface.tensors import Entry, attention, linear, norm
from jaxgpt.models.config import ModelConfig


@dataclasses.dataclass(frozen=True)
class Albert(Bert):
    """BERT with narrow embeddings and layers that share weights in groups; sentence order."""

    architecture = "AlbertForMaskedLM"
    prefix = "albert."
    head = "predictions.decoder.weight"
    ties = {r"predictions\.decoder\.bias": "predictions.bias"}
    fields = (
        Field("vocab_size", "vocab_size", 30000),
        Field("embedding_size", "embedding.width", 128),
        Field("max_position_embeddings", "max_length", 512),
        Field("hidden_size", "d_model", 4096),
        Field("num_attention_heads", "num_heads", 64),
        Field("intermediate_size", "d_ff", 16384),
        Field("inner_group_num", "loop_blocks", 1),
        Field("layer_norm_eps", "norm_epsilon", 1e-12),
        Field("hidden_act", "mlp.activation", "gelu_new", ACTIVATIONS),
        Field("type_vocab_size", "segments", 2),
        Field("hidden_dropout_prob", "dropout", 0.0),
        Field("attention_probs_dropout_prob", "attention.dropout", 0.0),
        Field("initializer_range", "init_std", 0.02),
    )
    transform = ("predictions.dense", "predictions.LayerNorm")
    head_bias = "predictions.bias"
    sentences = "sop_classifier.classifier"

    def config(self, given: Given) -> ModelConfig:
        visits, groups = given.get("num_hidden_layers", 12), given.get("num_hidden_groups", 1)
        if groups < 1 or visits % groups:
            raise ValueError(
                f"{given.source}: num_hidden_layers={visits} is not divisible by num_hidden_groups={groups}"
            )
        inner = given.get("inner_group_num", 1)
        return dataclasses.replace(super().config(given), num_layers=groups * inner, loops=visits // groups)

    def describe(self, config: ModelConfig) -> dict[str, Any]:
        inner = config.loop_blocks or config.num_layers
        groups = config.num_layers // inner
        return super().describe(config) | {
            "num_hidden_layers": groups * config.loops,
            "num_hidden_groups": groups,
            "inner_group_num": inner,
        }

    def labels(self, given: Given) -> dict[str, Any]:
        names = given.tensors | {"pooler.dense.weight": given.tensors.get("pooler.weight")}
        if names["pooler.dense.weight"] is None:
            names.pop("pooler.dense.weight")
        return super().labels(Given(given.fields, given.source, names))

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from self.embeddings(config)
        yield from linear(".encoder.embedding_hidden_mapping_in", "encoder.widen")
        inner = config.loop_blocks or config.num_layers
        for i in range(config.num_layers):
            theirs = f".encoder.albert_layer_groups.{i // inner}.albert_layers.{i % inner}"
            ours = f"encoder.blocks.{i}"
            maps = [f"{theirs}.attention.{name}" for name in ("query", "key", "value", "dense")]
            yield from attention(maps, f"{ours}.attention")
            yield from norm(f"{theirs}.attention.LayerNorm", f"{ours}.norms.0")
            yield from linear(f"{theirs}.ffn", f"{ours}.mlp.up")
            yield from linear(f"{theirs}.ffn_output", f"{ours}.mlp.down")
            yield from norm(f"{theirs}.full_layer_layer_norm", f"{ours}.norms.1")
        for entry in self.heads(config, tensors):
            yield dataclasses.replace(entry, key=entry.key.replace(".pooler.dense.", ".pooler."))
