"""Models for one machine: nanoGPT's, makemore's and ours."""

import dataclasses

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.embedding_config import EmbeddingConfig
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.relative import Relative
from jaxgpt.nn.position.rotary import Rotary


def nanogpt_baby() -> ModelConfig:
    """nanoGPT's baby GPT (karpathy/nanoGPT, config/train_shakespeare_char.py): 10.7M parameters.

    nanoGPT's model.py: no biases, erf GELU, layer norm epsilon 1e-5.
    """
    return ModelConfig(
        max_length=256,
        num_layers=6,
        d_model=384,
        num_heads=6,
        position=Learned(),
        mlp=MLPConfig(activation="gelu", bias=False),
        norm_bias=False,
        attention=AttentionConfig(bias=False, out_bias=False),
        dropout=0.2,
    )


def nanogpt_cpu() -> ModelConfig:
    """nanoGPT's model for a CPU (karpathy/nanoGPT, README, "I only have a macbook"): 4 layers, width 128."""
    return dataclasses.replace(
        nanogpt_baby(), max_length=64, num_layers=4, d_model=128, num_heads=4, dropout=0.0
    )


def makemore() -> ModelConfig:
    """makemore's transformer (karpathy/makemore, makemore.py, default arguments): 4 layers of width 64.

    A separate head without bias; embeddings start from N(0, 1). Deviation: linear maps start from
    N(0, 1/fan_in) instead of PyTorch's default uniform.
    """
    return ModelConfig(
        max_length=64,
        num_layers=4,
        d_model=64,
        num_heads=4,
        position=Learned(),
        mlp=MLPConfig(activation="gelu_tanh"),
        embedding=EmbeddingConfig(std=1.0),
        head=HeadConfig(weights="separate"),
        init_std=None,
        residual_init="plain",
    )


def tiny() -> ModelConfig:
    """Our smallest useful decoder: 2 layers of width 64 with rotary positions; about 0.1M parameters."""
    return ModelConfig(num_layers=2, d_model=64, num_heads=4, position=Rotary(), max_length=128)


def small() -> ModelConfig:
    """Our small decoder: 4 layers of width 128, rotary positions, RMSNorm, gated GELU; 1M parameters."""
    return ModelConfig(
        num_layers=4,
        d_model=128,
        num_heads=4,
        position=Rotary(),
        max_length=256,
        norm="rms",
        mlp=MLPConfig(activation="geglu_tanh", bias=False),
        attention=AttentionConfig(bias=False, out_bias=False),
    )


def small_encoder_decoder() -> ModelConfig:
    """Our small encoder-decoder: 2 + 2 layers of width 64 with T5's relative bias (Raffel et al. 2020)."""
    return ModelConfig(
        kind="encoder_decoder",
        num_layers=2,
        d_model=64,
        num_heads=4,
        position=Relative(),
        max_length=128,
        norm="rms",
    )
