"""Transformer-XL (Dai et al. 2019, arXiv 1901.02860); in transformers up to its version 4."""

import dataclasses
from collections.abc import Container, Iterator
from typing import Any

import numpy as np

from jaxgpt.core.nested import made
from jaxgpt.huggingface.config_fields import Field, Given
from jaxgpt.huggingface.family import Family
from jaxgpt.huggingface.tensors import Entry, linear, norm, table, vector
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.transformer_xl import TransformerXL

#: Tokens that a text may have: positions are relative, and a file gives no length.
_LENGTH = 2**20


@dataclasses.dataclass(frozen=True)
class TransfoXL(Family):
    """Transformer-XL: post-norm, memory, relative positions, adaptive embedding and softmax."""

    architecture = "TransfoXLLMHeadModel"
    position = TransformerXL
    prefix = "transformer."
    tokens = "word_emb.emb_layers.0.weight"
    head = "crit.head"  # in no file: the softmax is the embedding's
    ignored = {
        r"(transformer\.)?pos_emb\.inv_freq": "wavelengths, which are computed",
    }
    ties = {
        r"crit\.out_layers\.(\d+)\.weight": r"word_emb.emb_layers.\1.weight",
        r"crit\.out_projs\.([1-9]\d*)": r"word_emb.emb_projs.\1",
    }
    aliases = {
        "n_token": "vocab_size",
        "hidden_size": "d_model",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    fields = (
        Field("vocab_size", "vocab_size", 267735),
        Field("n_layer", "num_layers", 18),
        Field("d_model", "d_model", 1024),
        Field("n_head", "num_heads", 16),
        Field("d_head", "attention.head_dim", 64),
        Field("d_inner", "d_ff", 4096),
        Field("div_val", "embedding.cutoff_factor", 4),
        Field("mem_len", "memory", 1600),
        Field("layer_norm_epsilon", "norm_epsilon", 1e-5),
        Field("dropout", "dropout", 0.1),
        Field("dropatt", "attention.dropout", 0.0),
        Field("init_std", "init_std", 0.02),
    )

    def config(self, given: Given) -> ModelConfig:
        if "crit.out_layers.0.bias" not in given.tensors:
            raise ValueError(
                f"{given.source}: its weights have no crit.out_layers.0.bias; a Transformer-XL without its "
                "softmax is not read; save a TransfoXLLMHeadModel"
            )
        given.require("pre_lnorm", False)
        given.require("attn_type", 0)
        given.require("untie_r", True)
        given.require("proj_share_all_but_first", True)
        given.require("d_embed", given.get("d_model", 1024))
        if given.get("sample_softmax", -1) > 0 or "max_position_embeddings" in given.fields:
            raise ValueError(
                f"{given.source}: there is no max_position_embeddings here, nor a sample_softmax above 0"
            )
        clamp = given.get("clamp_len", 1000)
        cutoffs = given.fields.get("cutoffs", [20000, 40000, 200000])
        if not isinstance(cutoffs, list) or not all(type(v) is int for v in cutoffs):
            raise ValueError(f"{given.source}: cutoffs={cutoffs!r} is not a list of numbers")
        tied = given.fields.get("tie_projs") or []
        if not isinstance(tied, list) or any(tied[len(cutoffs) + 1 :]):
            raise ValueError(
                f"{given.source}: tie_projs={tied!r} has more than {len(cutoffs) + 1} projections"
            )
        size = given.get("vocab_size", 267735)
        found = given.read(self.fields)
        return made(
            ModelConfig,
            **found | {"memory": found["memory"] or None},
            max_length=_LENGTH,
            position=TransformerXL(clamp=clamp if clamp > 0 else None),
            window=found["memory"] if given.get("same_length", True) else None,
            wiring="post",
            residual_init="plain",
            **{
                "mlp.activation": "relu",
                "attention.bias": False,
                "attention.out_bias": False,
                "embedding.kind": "adaptive",
                "embedding.cutoffs": tuple(v for v in cutoffs if v < size),
                "embedding.scale": found["d_model"] ** 0.5,
                "head.weights": "tied",
            },
        )

    def describe(self, config: ModelConfig) -> dict[str, Any]:
        return super().describe(config) | {
            "d_embed": config.d_model,
            "cutoffs": list(config.embedding.cutoffs),
            "clamp_len": config.position.clamp or -1,
            "mem_len": config.memory or 0,
            "same_length": config.window is not None and config.memory is not None,
            "untie_r": True,
        }

    def canonical(self, config: ModelConfig) -> ModelConfig:
        return dataclasses.replace(config, max_length=_LENGTH)

    def computed(self, name: str, config: ModelConfig) -> np.ndarray | None:
        if not name.endswith("inv_freq"):
            return None
        return 10_000.0 ** (-np.arange(0, config.d_model, 2) / config.d_model)

    def entries(self, config: ModelConfig, tensors: Container[str] = ()) -> Iterator[Entry]:
        mapped = config.embedding.cutoff_factor > 1
        clusters = len(config.embedding.cutoffs) + 1
        for k in range(clusters if mapped else 1):
            yield from table(f".word_emb.emb_layers.{k}.weight", f"embedding.tables.{k}")
            if mapped:
                yield Entry(f".word_emb.emb_projs.{k}", (f"embedding.maps.{k}",), "linear")
            yield from vector(f"crit.out_layers.{k}.bias", f"embedding.biases.{k}")
        if mapped:
            yield Entry("crit.out_projs.0", ("embedding.out_map",), "linear")
        if clusters > 1:
            yield from table("crit.cluster_weight", "embedding.clusters")
            yield from vector("crit.cluster_bias", "embedding.cluster_bias")
        for i in range(config.num_layers):
            theirs, ours = f".layers.{i}", f"decoder.blocks.{i}"
            attention = f"{theirs}.dec_attn"
            maps = [f"{ours}.attention.{name}" for name in ("query", "key", "value")]
            yield from linear(f"{attention}.qkv_net", *maps, bias=False)
            yield from linear(f"{attention}.o_net", f"{ours}.attention.out", bias=False, inputs=2)
            yield Entry(f"{attention}.r_net.weight", (f"{ours}.attention.tables.distance",), "linear")
            yield from table(f"{attention}.r_w_bias", f"{ours}.attention.tables.u")
            yield from table(f"{attention}.r_r_bias", f"{ours}.attention.tables.v")
            yield from norm(f"{attention}.layer_norm", f"{ours}.norms.0")
            yield from linear(f"{theirs}.pos_ff.CoreNet.0", f"{ours}.mlp.up")
            yield from linear(f"{theirs}.pos_ff.CoreNet.3", f"{ours}.mlp.down")
            yield from norm(f"{theirs}.pos_ff.layer_norm", f"{ours}.norms.1")
