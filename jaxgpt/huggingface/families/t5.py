"""T5 1.0 and 1.1 (Raffel et al. 2020, arXiv 1910.10683)."""

import dataclasses
from collections.abc import Container, Iterator
from typing import Any

from jaxgpt.core.nested import made
from jaxgpt.huggingface.config_fields import Field, Given
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.tensors import Entry, attention, linear, norm, table
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.relative import Relative

#: Their names of activation functions, plain and of a gate.
_ACTIVATIONS = {"relu": "relu", "gelu_new": "gelu_tanh", "gelu": "gelu", "silu": "silu"}
_GATED = {"gelu_new": "geglu_tanh", "gelu": "geglu", "silu": "swiglu", "relu": "reglu"}
_PROJECTIONS = {
    "relu": "relu",
    "gated-gelu": "geglu_tanh",  # not their gelu, for files that are older than that name
    **_ACTIVATIONS,
    **{f"gated-{theirs}": ours for theirs, ours in _GATED.items() if theirs != "gelu"},
}


@dataclasses.dataclass(frozen=True)
class T5(Family):
    """T5: RMS norms, a relative bias in buckets, no biases and no scale in attention."""

    architecture = "T5ForConditionalGeneration"
    position = Relative
    stacks = "encoder_decoder"
    prefix = ""
    tokens = "shared.weight"
    always_tied = True  # since version 5; before it, transformers drew a matrix anew and warned
    ties = {r"(encoder|decoder)\.embed_tokens\.weight": "shared.weight"}
    ignored = {
        r"decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight": "never used",
    }
    aliases = {
        "hidden_size": "d_model",
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
        "head_dim": "d_kv",
    }

    fields = (
        Field("vocab_size", "vocab_size", 32128),
        Field("num_layers", "encoder_layers", 6),
        Field("num_decoder_layers", "num_layers"),
        Field("d_model", "d_model", 512),
        Field("num_heads", "num_heads", 8),
        Field("d_kv", "attention.head_dim", 64),
        Field("d_ff", "d_ff", 2048),
        Field("layer_norm_epsilon", "norm_epsilon", 1e-6),
        Field("feed_forward_proj", "mlp.activation", "relu", _PROJECTIONS),
        Field("dropout_rate", "dropout", 0.1),
    )

    def config(self, given: Given) -> ModelConfig:
        found = given.read(self.fields) | self.activation(given)
        depth = found["num_layers"]
        # transformers 5 keeps only what tying meant for the logits' scale.
        scaled = given.get("scale_decoder_outputs", given.get("tie_word_embeddings", True))
        return made(
            ModelConfig,
            kind="encoder_decoder",
            max_length=given.get("n_positions", 512),
            position=Relative(
                num_buckets=given.get("relative_attention_num_buckets", 32),
                max_distance=given.get("relative_attention_max_distance", 128),
            ),
            norm="rms",
            residual_init="plain",
            **found | {"num_layers": found["encoder_layers"] if depth is None else depth},
            **{
                "attention.scale": 1.0,
                "attention.bias": False,
                "attention.out_bias": False,
                "mlp.bias": False,
                "head.factor": max(found["d_model"], 1) ** -0.5 if scaled else 1.0,
            },
        )

    def activation(self, given: Given) -> dict[str, Any]:
        """Fields that version 5 and 4 write beside `feed_forward_proj`, and that count more than it."""
        named = given.get("feed_forward_proj", "relu")
        gated = given.get("is_gated_act", named.startswith("gated-"))
        if "dense_act_fn" not in given.fields and "is_gated_act" not in given.fields:
            return {}
        inner = "gelu_new" if named == "gated-gelu" else named.removeprefix("gated-")
        inner = given.get("dense_act_fn", inner)
        known = _GATED if gated else _ACTIVATIONS
        if inner not in known:
            raise ValueError(
                f"{given.source}: dense_act_fn={inner!r} with is_gated_act={gated} is not supported; "
                f"known: {', '.join(known)}"
            )
        return {"mlp.activation": known[inner]}

    def describe(self, config: ModelConfig) -> dict[str, Any]:
        scaled = config.head.factor != 1
        if scaled and config.head.weights == "separate":
            raise ValueError(
                f"a model of type t5 with head.factor={config.head.factor} has head.weights=tied, not "
                "separate"
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
        gated = config.mlp.activation in ("geglu", "geglu_tanh", "swiglu", "reglu")
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
