"""Reformer (Kitaev et al. 2020, arXiv 2001.04451)."""

import dataclasses
from collections.abc import Container, Iterator
from typing import Any

from jaxgpt.core.nested import made
from jaxgpt.huggingface.config_fields import ACTIVATIONS, Field, Given
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.tensors import Entry, linear, norm, table, vector
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.axial import Axial
from jaxgpt.nn.sparse.reformer import Reformer as Chunks

#: Their names of the settings of chunks and hashes, and ours.
_CHUNKS = {
    "lsh_attn_chunk_length": "chunk",
    "local_attn_chunk_length": "local_chunk",
    "lsh_num_chunks_before": "before",
    "lsh_num_chunks_after": "after",
    "local_num_chunks_before": "local_before",
    "local_num_chunks_after": "local_after",
    "num_hashes": "rounds",
}
_BIASES = ("lm_head.decoder.bias", "lm_head.bias")


@dataclasses.dataclass(frozen=True)
class Reformer(Family):
    """Reformer: two streams, local and hashed attention, axial positions."""

    architecture = "ReformerModelWithLMHead"
    position = Axial
    prefix = "reformer."
    tokens = "embeddings.word_embeddings.weight"
    head = "lm_head.decoder.weight"
    tied = False
    ignored = {r"lm_head\.bias": "lm_head.decoder.bias is added instead"}

    fields = (
        Field("vocab_size", "vocab_size", 320),
        Field("max_position_embeddings", "max_length", 4096),
        Field("hidden_size", "d_model", 256),
        Field("num_attention_heads", "num_heads", 12),
        Field("attention_head_size", "attention.head_dim", 64),
        Field("feed_forward_size", "d_ff", 512),
        Field("layer_norm_eps", "norm_epsilon", 1e-12),
        Field("hidden_act", "mlp.activation", "relu", ACTIVATIONS),
        Field("hidden_dropout_prob", "dropout", 0.05),
        Field("lsh_attention_probs_dropout_prob", "attention.dropout", 0.0),
        Field("initializer_range", "init_std", 0.02),
    )

    def config(self, given: Given) -> ModelConfig:
        given.require("is_decoder", False, True)
        if not given.fields.get("is_decoder"):
            raise ValueError(f"{given.source}: is_decoder must be true; a Reformer that sees all is not read")
        given.require("axial_pos_embds", True)
        given.require("local_num_chunks_after", 0)
        given.require("lsh_num_chunks_after", 0)
        kinds = given.fields.get("attn_layers", ["local", "lsh"] * 3)
        shape = given.fields.get("axial_pos_shape", [64, 64])
        widths = given.fields.get("axial_pos_embds_dim", [64, 192])
        buckets = given.fields.get("num_buckets")
        buckets = buckets if buckets is None or isinstance(buckets, list) else [buckets]
        if buckets is not None and not (
            buckets and all(type(number) is int and number for number in buckets)
        ):
            raise ValueError(
                f"{given.source}: num_buckets={buckets!r} is neither a number nor a list of some"
            )
        buckets = buckets or []
        for name, value in (("axial_pos_shape", shape), ("axial_pos_embds_dim", widths)):
            if not (isinstance(value, list) and len(value) == 2 and all(type(v) is int for v in value)):
                raise ValueError(f"{given.source}: {name}={value!r} is not two numbers")
        if not (isinstance(kinds, list) and kinds and all(kind in ("local", "lsh") for kind in kinds)):
            raise ValueError(f"{given.source}: attn_layers={kinds!r} is not a list of local and lsh")
        given.check_layers("attn_layers", len(kinds))
        given.require("num_hidden_layers", len(kinds))
        defaults = Chunks()
        found = {ours: given.get(theirs, getattr(defaults, ours)) for theirs, ours in _CHUNKS.items()}
        return made(
            ModelConfig,
            num_layers=len(kinds),
            wiring="reversible",
            position=Axial(*shape, row_features=widths[0]),
            sparse=Chunks(
                layers=tuple(kinds), buckets=tuple(buckets), seed=given.get("hash_seed") or 0, **found
            ),
            residual_init="plain",
            **given.read(self.fields),
            **{
                "attention.bias": False,
                "attention.out_bias": False,
                "head.weights": "separate" if self.head in given.tensors else "none",
                "head.bias": not given.tensors.keys().isdisjoint(_BIASES),
            },
        )

    def describe(self, config: ModelConfig) -> dict[str, Any]:
        if not isinstance(config.sparse, Chunks) or config.wiring != "reversible":
            raise ValueError("a model of type reformer has sparse=reformer and wiring=reversible")
        sparse, position = config.sparse, config.position
        rows = position.row_features or config.d_model // 2
        kinds = [sparse.layers[i % len(sparse.layers)] for i in range(config.num_layers)]
        buckets = list(sparse.buckets) or None
        return (
            super().describe(config)
            | {theirs: getattr(sparse, ours) for theirs, ours in _CHUNKS.items()}
            | {
                "is_decoder": True,
                "attn_layers": kinds,
                "axial_pos_embds": True,
                "axial_pos_shape": [position.rows, position.columns],
                "axial_pos_embds_dim": [rows, config.d_model - rows],
                "num_buckets": buckets[0] if buckets and len(buckets) == 1 else buckets,
                "hash_seed": sparse.seed,
                "local_attention_probs_dropout_prob": config.attention.dropout or 0.0,
            }
        )

    def canonical(self, config: ModelConfig) -> ModelConfig:
        kinds, rows = config.sparse.layers, config.position.row_features or config.d_model // 2
        spread = tuple(kinds[i % len(kinds)] for i in range(config.num_layers))
        return dataclasses.replace(
            config,
            sparse=dataclasses.replace(config.sparse, layers=spread),
            position=dataclasses.replace(config.position, row_features=rows),
        )

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        yield from table(".embeddings.word_embeddings.weight", "embedding.table")
        for index, name in enumerate(("rows", "columns")):
            key = f".embeddings.position_embeddings.weights.{index}"
            yield Entry(key, (f"decoder.tables.{name}",), f"grid_{name}")
        for i in range(config.num_layers):
            theirs, ours = f".encoder.layers.{i}", f"decoder.blocks.{i}"
            yield from norm(f"{theirs}.attention.layer_norm", f"{ours}.norms.0")
            maps = {"query": "query", "key": "key", "value": "value"}
            if config.sparse.shares_keys(i):
                maps = {"query_key": "query", "value": "value"}
            for key, name in maps.items():
                path = f"{ours}.attention.{name}"
                yield from linear(f"{theirs}.attention.self_attention.{key}", path, bias=False)
            out = f"{theirs}.attention.output.dense"
            yield from linear(out, f"{ours}.attention.out", bias=False, inputs=2)
            yield from norm(f"{theirs}.feed_forward.layer_norm", f"{ours}.norms.1")
            yield from linear(f"{theirs}.feed_forward.dense.dense", f"{ours}.mlp.up")
            yield from linear(f"{theirs}.feed_forward.output.dense", f"{ours}.mlp.down")
        yield from norm(".encoder.layer_norm", "decoder.norm")
        if config.head.bias:
            # transformers 4 has one bias by two names, 5 adds the first alone.
            key = next((name for name in _BIASES if name in tensors), _BIASES[0])
            yield from vector(key, "head_bias")
