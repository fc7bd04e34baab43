"""Models for long texts: Longformer, Transformer-XL, Reformer."""

import dataclasses

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.presets.encoders import bert_base
from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.embedding_config import EmbeddingConfig
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.position.axial import Axial
from jaxgpt.nn.position.transformer_xl import TransformerXL
from jaxgpt.nn.sparse.longformer import Longformer
from jaxgpt.nn.sparse.reformer import Reformer


def longformer_base() -> ModelConfig:
    """Longformer base (Beltagy et al. 2020, arXiv 2004.05150, section 5): RoBERTa base, windows of 512.

    4,096 positions; 149M parameters with RoBERTa's 50,265 ids.
    """
    return dataclasses.replace(
        bert_base(), max_length=4096, norm_epsilon=1e-5, segments=1, sparse=Longformer((512,))
    )


def transformer_xl() -> ModelConfig:
    """Transformer-XL large for WikiText-103 (Dai et al. 2019, arXiv 1901.02860; kimiyoung/transformer-xl).

    18 layers of width 1024; 285M parameters with the 267,735 words of WikiText-103, the frequent ones first.
    """
    return ModelConfig(
        max_length=2048,
        num_layers=18,
        d_model=1024,
        num_heads=16,
        d_ff=4096,
        position=TransformerXL(),
        memory=384,
        segment=384,
        wiring="post",
        mlp=MLPConfig(activation="relu"),
        attention=AttentionConfig(bias=False, out_bias=False),
        embedding=EmbeddingConfig(
            kind="adaptive", cutoffs=(20_000, 40_000, 200_000), cutoff_factor=4, scale=1024**0.5
        ),
        dropout=0.2,
        residual_init="plain",
    )


def reformer_enwik8() -> ModelConfig:
    """Reformer for enwik8 (Kitaev et al. 2020, arXiv 2001.04451; google/reformer-enwik8): 12 layers, 149M.

    65,536 characters of text; every fourth layer hashes, the others are local.
    """
    return ModelConfig(
        max_length=65_536,
        num_layers=12,
        d_model=1024,
        num_heads=8,
        d_ff=4096,
        position=Axial(rows=128, columns=512, row_features=256),
        sparse=Reformer(
            layers=("local", "local", "lsh", "local"), chunk=256, local_chunk=128, rounds=4, buckets=(512,)
        ),
        wiring="reversible",
        norm_epsilon=1e-12,
        mlp=MLPConfig(activation="relu"),
        attention=AttentionConfig(bias=False, out_bias=False),
        head=HeadConfig(weights="separate", bias=True),
        dropout=0.2,
        residual_init="plain",
    )
