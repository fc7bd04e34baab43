"""DistilBERT (Sanh et al. 2019, arXiv 1910.01108)."""

import dataclasses
from collections.abc import Container, Iterator
from typing import Any

from jaxgpt.core.nested import made
from jaxgpt.data.labelled import SPAN
from jaxgpt.huggingface.config_fields import ACTIVATIONS, Field, Given
from jaxgpt.huggingface.families.bert import Bert, told
from jaxgpt.huggingface.tensors import Entry, attention, linear, norm, table, vector
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned


@dataclasses.dataclass(frozen=True)
class DistilBert(Bert):
    """BERT without segments and pooler; its classifiers have a dense map and ReLU of their own."""

    architecture = "DistilBertForMaskedLM"
    prefix = "distilbert."
    head = "vocab_projector.weight"
    ignored = {r"(.*\.)?embeddings\.position_ids": "positions, which are counted"}
    aliases = {"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"}
    fields = (
        Field("vocab_size", "vocab_size", 30522),
        Field("max_position_embeddings", "max_length", 512),
        Field("n_layers", "num_layers", 6),
        Field("dim", "d_model", 768),
        Field("n_heads", "num_heads", 12),
        Field("hidden_dim", "d_ff", 3072),
        Field("activation", "mlp.activation", "gelu", ACTIVATIONS),
        Field("dropout", "dropout", 0.1),
        Field("attention_dropout", "attention.dropout", 0.1),
        Field("initializer_range", "init_std", 0.02),
    )
    transform = ("vocab_transform", "vocab_layer_norm")
    head_bias = "vocab_projector.bias"

    def config(self, given: Given) -> ModelConfig:
        words = self.head_bias in given.tensors
        return made(
            ModelConfig,
            kind="encoder",
            position=Learned(),
            wiring="post",
            norm_epsilon=1e-12,
            residual_init="plain",
            **self.labels(given),
            **given.read(self.fields),
            **{
                "embedding.norm": True,
                "head.weights": "tied" if words else "none",
                "head.bias": words,
                "head.transform": words,
            },
        )

    def labels(self, given: Given) -> dict[str, Any]:
        pooled = "pre_classifier.weight" in given.tensors
        for key in ("classifier", "qa_outputs"):
            if shape := given.tensors.get(f"{key}.weight"):
                found = {"labels_from": "first" if pooled else "each", "pooler": pooled}
                activation = {"pooler_activation": "relu"} if pooled else {}
                return told(given, key, shape[0]) | found | activation
        return {}

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from table(".embeddings.word_embeddings.weight", "embedding.table")
        yield from table(".embeddings.position_embeddings.weight", "encoder.tables.table")
        yield from norm(".embeddings.LayerNorm", "encoder.embedding_norm")
        for i in range(config.num_layers):
            theirs, ours = f".transformer.layer.{i}", f"encoder.blocks.{i}"
            maps = [f"{theirs}.attention.{name}_lin" for name in ("q", "k", "v", "out")]
            yield from attention(maps, f"{ours}.attention")
            yield from norm(f"{theirs}.sa_layer_norm", f"{ours}.norms.0")
            yield from linear(f"{theirs}.ffn.lin1", f"{ours}.mlp.up")
            yield from linear(f"{theirs}.ffn.lin2", f"{ours}.mlp.down")
            yield from norm(f"{theirs}.output_layer_norm", f"{ours}.norms.1")
        yield from self.heads(config, tensors)

    def heads(self, config: ModelConfig, tensors: Container[str]) -> Iterator[Entry]:
        if config.head.transform:
            yield from linear(self.transform[0], "head_transform.dense")
            yield from norm(self.transform[1], "head_transform.norm")
            yield from vector(self.head_bias, "head_bias")
        if config.pooler:
            yield from linear("pre_classifier", "pooler")
        if config.num_labels:
            spans = config.label_names == SPAN or "qa_outputs.weight" in tensors
            yield from linear("qa_outputs" if spans else "classifier", "labels")
