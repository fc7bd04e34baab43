"""T5 1.0 and 1.1 (Raffel et al. 2020, arXiv 1910.10683)."""

import dataclasses
from collections.abc import Container, Iterator
from typing import Any

from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.fields import Field, Given
from jaxgpt.huggingface.layout import Entry, attention, linear, norm, table
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.relative import Relative

_ACTIVATIONS = {
    "relu": "relu",
    "gated-gelu": "geglu_tanh",
    "gated-gelu_new": "geglu_tanh",
    "gated-silu": "swiglu",
    "gated-relu": "reglu",
    "gelu_new": "gelu_tanh",
    "gelu": "gelu",
    "silu": "silu",
}


@dataclasses.dataclass(frozen=True)
class T5(Family):
    """T5: RMS norms, a relative bias in buckets, no biases and no scale in attention."""

    architecture = "T5ForConditionalGeneration"
    position = Relative
    stacks = "encoder_decoder"
    prefix = ""
    tokens = "shared.weight"
    ignored = {
        r"(encoder|decoder)\.embed_tokens\.weight": "a copy of shared.weight",
        r"decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight": "never used",
    }

    fields = (
        Field("vocab_size", "vocab_size", 32128),
        Field("num_layers", "encoder_layers", 6),
        Field("num_decoder_layers", "num_layers"),
        Field("d_model", "d_model", 512),
        Field("num_heads", "num_heads", 8),
        Field("d_kv", "head_dim", 64),
        Field("d_ff", "d_ff", 2048),
        Field("layer_norm_epsilon", "norm_epsilon", 1e-6),
        Field("feed_forward_proj", "activation", "relu", _ACTIVATIONS),
        Field("dropout_rate", "dropout", 0.1),
    )

    def config(self, given: Given) -> ModelConfig:
        found = given.read(self.fields)
        # transformers 5 keeps only what tying meant for the logits' scale.
        scaled = given.get("scale_decoder_outputs", given.get("tie_word_embeddings", True))
        return ModelConfig(
            kind="encoder_decoder",
            max_length=given.get("n_positions", 512),
            position=Relative(
                num_buckets=given.get("relative_attention_num_buckets", 32),
                max_distance=given.get("relative_attention_max_distance", 128),
            ),
            norm="rms",
            attention_scale=1.0,
            attention_bias=False,
            attention_out_bias=False,
            mlp_bias=False,
            logit_factor=found["d_model"] ** -0.5 if scaled else 1.0,
            residual_init="plain",
            **found | {"num_layers": found["num_layers"] or found["encoder_layers"]},
        )

    def describe(self, config: ModelConfig) -> dict[str, Any]:
        scaled = config.logit_factor != 1
        if scaled and config.head == "separate":
            raise ValueError(
                f"a model of type t5 with logit_factor={config.logit_factor} has head=tied, not separate"
            )
        return super().describe(config) | {
            "n_positions": config.max_length,
            "relative_attention_num_buckets": config.position.num_buckets,
            "relative_attention_max_distance": config.position.max_distance,
            "scale_decoder_outputs": scaled,
            "tie_word_embeddings": scaled,
            "decoder_start_token_id": 0,
            "is_encoder_decoder": True,
        }

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from table("shared.weight", "embedding.table")
        gated = config.activation in ("geglu", "geglu_tanh", "swiglu", "reglu")
        for stack in ("encoder", "decoder"):
            first = f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
            yield from table(first, f"{stack}.tables.bias")
            count = config.num_layers if stack == "decoder" else config.num_encoder_layers
            for i in range(count):
                theirs, ours = f"{stack}.block.{i}.layer", f"{stack}.blocks.{i}"
                yield from _attention(f"{theirs}.0.SelfAttention", f"{ours}.attention")
                yield from norm(f"{theirs}.0.layer_norm", f"{ours}.norms.0", bias=False)
                last = 1
                if stack == "decoder":
                    yield from _attention(f"{theirs}.1.EncDecAttention", f"{ours}.cross")
                    yield from norm(f"{theirs}.1.layer_norm", f"{ours}.norms.1", bias=False)
                    last = 2
                dense = f"{theirs}.{last}.DenseReluDense"
                if gated:
                    yield from linear(f"{dense}.wi_0", f"{ours}.mlp.gate", bias=False)
                yield from linear(f"{dense}.wi_1" if gated else f"{dense}.wi", f"{ours}.mlp.up", bias=False)
                yield from linear(f"{dense}.wo", f"{ours}.mlp.down", bias=False)
                yield from norm(f"{theirs}.{last}.layer_norm", f"{ours}.norms.{last}", bias=False)
            yield from norm(f"{stack}.final_layer_norm", f"{stack}.norm", bias=False)


def _attention(theirs: str, ours: str) -> Iterator[Entry]:
    yield from attention([f"{theirs}.{name}" for name in "qkvo"], ours, bias=False, out_bias=False)
