"""BART (Lewis et al. 2020, arXiv 1910.13461)."""

import dataclasses
import math
from collections.abc import Container, Iterator
from typing import Any

from jaxgpt.core.nested import made, replaced
from jaxgpt.huggingface.config_fields import ACTIVATIONS, Field, Given
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.tensors import Entry, attention, linear, norm, table
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned

#: Rows of the position tables before the first position.
SKIP = 2


@dataclasses.dataclass(frozen=True)
class Bart(Family):
    """BART: a post-norm encoder-decoder with learned positions and a norm after the embeddings."""

    architecture = "BartForConditionalGeneration"
    position = Learned
    stacks = "encoder_decoder"
    tokens = "shared.weight"
    ties = {r"(encoder|decoder)\.embed_tokens\.weight": "shared.weight"}
    aliases = {
        "hidden_size": "d_model",
        "num_attention_heads": "encoder_attention_heads",
        "num_hidden_layers": "encoder_layers",
    }

    fields = (
        Field("vocab_size", "vocab_size", 50265),
        Field("max_position_embeddings", "max_length", 1024),
        Field("encoder_layers", "encoder_layers", 12),
        Field("encoder_attention_heads", "encoder_heads", 16),
        Field("encoder_ffn_dim", "encoder_d_ff", 4096),
        Field("decoder_layers", "num_layers", 12),
        Field("d_model", "d_model", 1024),
        Field("decoder_attention_heads", "num_heads", 16),
        Field("decoder_ffn_dim", "d_ff", 4096),
        Field("activation_function", "mlp.activation", "gelu", ACTIVATIONS),
        Field("dropout", "dropout", 0.1),
        Field("attention_dropout", "attention.dropout", 0.0),
        Field("init_std", "init_std", 0.02),
    )

    def config(self, given: Given) -> ModelConfig:
        found = made(
            ModelConfig,
            kind="encoder_decoder",
            position=Learned(),
            wiring="post",
            residual_init="plain",
            **given.read(self.fields),
            **{"embedding.norm": True, "head.bias": "final_logits_bias" in given.tensors},
        )
        if found.encoder_heads == found.num_heads:
            found = dataclasses.replace(found, encoder_heads=None)
        if found.encoder_d_ff == found.resolved_d_ff:
            found = dataclasses.replace(found, encoder_d_ff=None)
        if given.get("scale_embedding", False):
            found = replaced(found, {"embedding.scale": math.sqrt(found.d_model)})
        if "classification_head.dense.weight" in given.tensors:
            given.get("eos_token_id", 2)  # one id, since the label is read where a text ends with it
            count = given.tensors["classification_head.out_proj.weight"][0]
            labels = {"labels": count, "labels_from": "last", "label_names": given.label_names(count)}
            found = replaced(found, {"head.weights": "none", "pooler": True, **labels})
        return found

    def describe(self, config: ModelConfig) -> dict[str, Any]:
        return super().describe(config) | {
            "scale_embedding": config.embedding.scale != 1,
            "is_encoder_decoder": True,
        }

    def architecture_of(self, config: ModelConfig) -> str:
        return "BartForSequenceClassification" if config.num_labels else self.architecture

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from table(".shared.weight", "embedding.table")
        for stack in ("encoder", "decoder"):
            yield from self.positions(stack)
            count = config.num_layers if stack == "decoder" else config.num_encoder_layers
            for i in range(count):
                theirs, ours = f".{stack}.layers.{i}", f"{stack}.blocks.{i}"
                yield from _attention(f"{theirs}.self_attn", f"{ours}.attention")
                yield from norm(f"{theirs}.self_attn_layer_norm", f"{ours}.norms.0")
                if stack == "decoder":
                    yield from _attention(f"{theirs}.encoder_attn", f"{ours}.cross")
                    yield from norm(f"{theirs}.encoder_attn_layer_norm", f"{ours}.norms.1")
                yield from linear(f"{theirs}.fc1", f"{ours}.mlp.up")
                yield from linear(f"{theirs}.fc2", f"{ours}.mlp.down")
                last = 1 if stack == "encoder" else 2
                yield from norm(f"{theirs}.final_layer_norm", f"{ours}.norms.{last}")
        if config.head.bias:
            yield Entry("final_logits_bias", ("head_bias",), "row")
        if config.num_labels:
            yield from linear("classification_head.dense", "pooler")
            yield from linear("classification_head.out_proj", "labels")

    def positions(self, stack: str) -> Iterator[Entry]:
        """The position table of a stack and its norm."""
        yield from table(f".{stack}.embed_positions.weight", f"{stack}.tables.table", skip=SKIP)
        yield from norm(f".{stack}.layernorm_embedding", f"{stack}.embedding_norm")


def _attention(theirs: str, ours: str) -> Iterator[Entry]:
    yield from attention([f"{theirs}.{name}_proj" for name in ("q", "k", "v", "out")], ours)
