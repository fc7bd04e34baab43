"""BERT (Devlin et al. 2019, arXiv 1810.04805)."""

import dataclasses
from collections.abc import Container, Iterator
from typing import Any

from jaxgpt.core.nested import made
from jaxgpt.data.labelled import CHOICE, SPAN
from jaxgpt.huggingface.config_fields import ACTIVATIONS, Field, Given
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.tensors import Entry, attention, linear, norm, table, vector
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned


def of_each(given: Given, otherwise: bool) -> bool:
    """Whether a classifier labels each token; `otherwise` where the file does not name its class.

    Tensors do not always tell: some models of token labels have a pooler that they do not read.
    """
    if given.architecture.endswith("ForTokenClassification"):
        return True
    if given.architecture.endswith(("ForSequenceClassification", "ForMultipleChoice")):
        return False
    return otherwise


def told(given: Given, key: str, count: int) -> dict[str, Any]:
    """The fields of the head `key`: the number of its labels, and their names."""
    names = given.label_names(count)
    if key == "qa_outputs":
        names = SPAN if count == len(SPAN) else ()
    elif given.architecture.endswith("ForMultipleChoice") and count == len(CHOICE):
        names = CHOICE
    return {"labels": count, "label_names": names}


@dataclasses.dataclass(frozen=True)
class Bert(Family):
    """BERT: post-norm, segments; masked words, next sentence, labels."""

    architecture = "BertForMaskedLM"
    position = Learned
    stacks = "encoder"
    prefix = "bert."
    tokens = "embeddings.word_embeddings.weight"
    head = "cls.predictions.decoder.weight"
    renamed = {r"LayerNorm\.gamma$": "LayerNorm.weight", r"LayerNorm\.beta$": "LayerNorm.bias"}
    ignored = {
        r"(.*\.)?embeddings\.(position_ids|token_type_ids)": "positions and segments, which are counted",
        r"pooler(\.dense)?\.(weight|bias)": "a pooler, which this head does not read",
    }
    ties = {r"cls\.predictions\.decoder\.bias": "cls.predictions.bias"}

    fields = (
        Field("vocab_size", "vocab_size", 30522),
        Field("max_position_embeddings", "max_length", 512),
        Field("num_hidden_layers", "num_layers", 12),
        Field("hidden_size", "d_model", 768),
        Field("num_attention_heads", "num_heads", 12),
        Field("intermediate_size", "d_ff", 3072),
        Field("layer_norm_eps", "norm_epsilon", 1e-12),
        Field("hidden_act", "mlp.activation", "gelu", ACTIVATIONS),
        Field("type_vocab_size", "segments", 2),
        Field("hidden_dropout_prob", "dropout", 0.1),
        Field("attention_probs_dropout_prob", "attention.dropout", 0.1),
        Field("initializer_range", "init_std", 0.02),
    )

    #: The parts of its heads.
    transform = ("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm")
    head_bias = "cls.predictions.bias"
    sentences = "cls.seq_relationship"

    def config(self, given: Given) -> ModelConfig:
        given.require("is_decoder", False)
        given.require("add_cross_attention", False)
        given.require("position_embedding_type", "absolute")
        if given.get("type_vocab_size", 2) < 1:
            raise ValueError(f"{given.source}: type_vocab_size must be at least 1")
        words = self.head_bias in given.tensors
        return made(
            ModelConfig,
            kind="encoder",
            position=Learned(),
            wiring="post",
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
        """The fields of ours that say what is told beside words."""
        pooled = "pooler.dense.weight" in given.tensors
        for key in ("classifier", "qa_outputs", self.sentences):
            if shape := given.tensors.get(f"{key}.weight"):
                each = {"classifier": of_each(given, not pooled), "qa_outputs": True}.get(key, False)
                return told(given, key, shape[0]) | {
                    "labels_from": "each" if each else "first",
                    "pooler": not each,
                }
        return {"pooler": pooled}

    def describe(self, config: ModelConfig) -> dict[str, Any]:
        found = super().describe(config)
        if "type_vocab_size" in found:  # in a file at least 1, so that a model without segments is another
            found["type_vocab_size"] = max(found["type_vocab_size"], 1)
        return found

    def architecture_of(self, config: ModelConfig) -> str:
        stem = self.architecture.removesuffix("ForMaskedLM")
        if config.head.weights != "none":
            return stem + ("ForPreTraining" if config.num_labels else "ForMaskedLM")
        if not config.num_labels:
            return stem + "Model"
        kinds = {SPAN: "ForQuestionAnswering", CHOICE: "ForMultipleChoice"}
        each = "ForTokenClassification" if config.labels_from == "each" else "ForSequenceClassification"
        return stem + kinds.get(config.label_names, each)

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from self.embeddings(config)
        for i in range(config.num_layers):
            theirs, ours = f".encoder.layer.{i}", f"encoder.blocks.{i}"
            maps = [f"{theirs}.attention.self.{name}" for name in ("query", "key", "value")]
            yield from attention([*maps, f"{theirs}.attention.output.dense"], f"{ours}.attention")
            yield from norm(f"{theirs}.attention.output.LayerNorm", f"{ours}.norms.0")
            yield from linear(f"{theirs}.intermediate.dense", f"{ours}.mlp.up")
            yield from linear(f"{theirs}.output.dense", f"{ours}.mlp.down")
            yield from norm(f"{theirs}.output.LayerNorm", f"{ours}.norms.1")
        yield from self.heads(config, tensors)

    def embeddings(self, config: ModelConfig, *, skip: int = 0) -> Iterator[Entry]:
        """Tokens, positions after the first `skip`, segments, and their norm."""
        yield from table(".embeddings.word_embeddings.weight", "embedding.table")
        yield from table(".embeddings.position_embeddings.weight", "encoder.tables.table", skip=skip)
        yield from table(".embeddings.token_type_embeddings.weight", "segments")
        yield from norm(".embeddings.LayerNorm", "encoder.embedding_norm")

    def heads(self, config: ModelConfig, tensors: Container[str]) -> Iterator[Entry]:
        """Of words, but for the output matrix; of the pooled token; of the labels."""
        if config.head.transform:
            yield from linear(self.transform[0], "head_transform.dense")
            yield from norm(self.transform[1], "head_transform.norm")
            yield from vector(self.head_bias, "head_bias")
        if config.pooler:
            yield from linear(".pooler.dense", "pooler")
        if config.num_labels:
            known = self.sentences if config.head.weights != "none" else "classifier"
            spans = config.label_names == SPAN or "qa_outputs.weight" in tensors
            yield from linear("qa_outputs" if spans else known, "labels")
