"""Encoder-decoders: the Transformer of 2017, BART, T5, mT5."""

import dataclasses

from jaxgpt.core.nested import replaced
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.embedding_config import EmbeddingConfig
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.relative import Relative
from jaxgpt.nn.position.sinusoidal import Sinusoidal


def transformer_base() -> ModelConfig:
    """The base encoder-decoder of Vaswani et al. 2017, table 3 ("base"); positions of section 3.5.

    Source and target share one embedding, scaled by sqrt(d_model) and tied to the head (section 3.4).
    Deviation: weights start from N(0, 1/fan_in); the paper gives no initialization.
    """
    return ModelConfig(
        kind="encoder_decoder",
        max_length=512,
        num_layers=6,
        d_model=512,
        num_heads=8,
        d_ff=2048,
        position=Sinusoidal(layout="interleaved"),
        wiring="post",
        norm_epsilon=1e-6,
        mlp=MLPConfig(activation="relu"),
        embedding=EmbeddingConfig(scale=512**0.5),
        dropout=0.1,
        attention=AttentionConfig(dropout=0.0),
        init_std=None,
        residual_init="plain",
    )


def bart_base() -> ModelConfig:
    """BART base (Lewis et al. 2020, arXiv 1910.13461, section 2.1): 6 + 6 post-norm layers of width 768.

    As fairseq has it: a norm after the embeddings, of both stacks.
    """
    return ModelConfig(
        kind="encoder_decoder",
        max_length=1024,
        num_layers=6,
        d_model=768,
        num_heads=12,
        position=Learned(),
        wiring="post",
        mlp=MLPConfig(activation="gelu"),
        embedding=EmbeddingConfig(norm=True),
        dropout=0.1,
        residual_init="plain",
    )


def bart_large() -> ModelConfig:
    """BART large (Lewis et al. 2020, section 2.1): 12 + 12 layers of width 1024."""
    return dataclasses.replace(bart_base(), num_layers=12, d_model=1024, num_heads=16)


def t5_small() -> ModelConfig:
    """T5 small (Raffel et al. 2020, arXiv 1910.10683, section 3.6): 6 + 6 layers of width 512; 60M."""
    return ModelConfig(
        kind="encoder_decoder",
        max_length=512,
        num_layers=6,
        d_model=512,
        num_heads=8,
        d_ff=2048,
        position=Relative(),
        norm="rms",
        norm_epsilon=1e-6,
        mlp=MLPConfig(activation="relu", bias=False),
        attention=AttentionConfig(scale=1.0, bias=False, out_bias=False),
        head=HeadConfig(factor=512**-0.5),
        dropout=0.1,
        init_std=None,
        residual_init="plain",
    )


def t5_base() -> ModelConfig:
    """T5 base (Raffel et al. 2020, section 3.1.1): 12 + 12 layers of width 768; 220M parameters."""
    base = t5_small()
    return replaced(
        base, {"num_layers": 12, "d_model": 768, "num_heads": 12, "d_ff": 3072, "head.factor": 768**-0.5}
    )


def t5_v1_1_small() -> ModelConfig:
    """T5 1.1 small (Raffel et al. 2020; t5's repository, released_checkpoints.md).

    8 + 8 layers of width 512, a gated GELU and an output matrix of its own; 77M parameters.
    """
    return replaced(
        t5_small(),
        {
            "num_layers": 8,
            "num_heads": 6,
            "attention.head_dim": 64,
            "d_ff": 1024,
            "mlp.activation": "geglu_tanh",
            "head.weights": "separate",
            "head.factor": 1.0,
        },
    )


def mt5_small() -> ModelConfig:
    """mT5 small (Xue et al. 2021, arXiv 2010.11934, section 3.2): T5 1.1 small on 1,024 tokens, no dropout.

    300M parameters with its vocabulary of 250,112.
    """
    return dataclasses.replace(t5_v1_1_small(), max_length=1024, dropout=0.0)
