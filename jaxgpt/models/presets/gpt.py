"""OpenAI's GPT and what was built after it."""

import dataclasses

from jaxgpt.core.nested import replaced
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.rotary import Rotary


def gpt1() -> ModelConfig:
    """GPT (Radford et al. 2018, section 4.1): 12 post-norm layers, tanh GELU, 512 positions."""
    return ModelConfig(
        max_length=512,
        num_layers=12,
        d_model=768,
        num_heads=12,
        position=Learned(),
        wiring="post",
        mlp=MLPConfig(activation="gelu_tanh"),
        dropout=0.1,
        residual_init="plain",
    )


def gpt2() -> ModelConfig:
    """GPT-2 (Radford et al. 2019, table 2 and section 2.3): 12 layers of width 768; 124M parameters."""
    return ModelConfig(
        max_length=1024,
        num_layers=12,
        d_model=768,
        num_heads=12,
        position=Learned(),
        mlp=MLPConfig(activation="gelu_tanh"),
        dropout=0.1,
    )


def gpt2_medium() -> ModelConfig:
    """GPT-2 medium (Radford et al. 2019, table 2): 24 layers of width 1024; 355M parameters."""
    return dataclasses.replace(gpt2(), num_layers=24, d_model=1024, num_heads=16)


def gpt2_large() -> ModelConfig:
    """GPT-2 large (Radford et al. 2019, table 2): 36 layers of width 1280; 774M parameters."""
    return dataclasses.replace(gpt2(), num_layers=36, d_model=1280, num_heads=20)


def gpt2_xl() -> ModelConfig:
    """GPT-2 XL (Radford et al. 2019, table 2): 48 layers of width 1600; 1.56B parameters."""
    return dataclasses.replace(gpt2(), num_layers=48, d_model=1600, num_heads=25)


def gpt3_small() -> ModelConfig:
    """GPT-3 small (Brown et al. 2020, arXiv 2005.14165, table 2.1): 12 layers of width 768; 125M parameters.

    Every other layer is locally banded (section 2.1). The paper does not say how wide the bands are; 256 is
    GPT-Neo's choice.
    """
    return dataclasses.replace(gpt2(), max_length=2048, window=256, window_layers=(False, True), dropout=0.0)


def gpt3_xl() -> ModelConfig:
    """GPT-3 XL (Brown et al. 2020, table 2.1): 24 layers of width 2048, 24 heads of 128; 1.3B parameters."""
    return replaced(
        gpt3_small(), {"num_layers": 24, "d_model": 2048, "num_heads": 24, "attention.head_dim": 128}
    )


def gpt3() -> ModelConfig:
    """GPT-3 (Brown et al. 2020, table 2.1): 96 layers of width 12288; 175B parameters."""
    return dataclasses.replace(gpt3_small(), num_layers=96, d_model=12288, num_heads=96)


def gptj() -> ModelConfig:
    """GPT-J (Wang & Komatsuzaki 2021, kingoflolz/mesh-transformer-jax): parallel sublayers; 6.05B parameters.

    Rotary positions on the first 64 features of each head.
    """
    return ModelConfig(
        max_length=2048,
        num_layers=28,
        d_model=4096,
        num_heads=16,
        position=Rotary(rotary_dim=64, pairing="interleaved"),
        wiring="parallel",
        mlp=MLPConfig(activation="gelu_tanh"),
        attention=AttentionConfig(bias=False, out_bias=False),
        head=HeadConfig(weights="separate", bias=True),
        residual_init="plain",
    )


def opt_125m() -> ModelConfig:
    """OPT 125M (Zhang et al. 2022, arXiv 2205.01068, table 1 and section 2.2): GPT-3 small with ReLU."""
    return ModelConfig(
        max_length=2048,
        num_layers=12,
        d_model=768,
        num_heads=12,
        position=Learned(),
        mlp=MLPConfig(activation="relu"),
        dropout=0.1,
        attention=AttentionConfig(dropout=0.0),
    )


def pythia_160m() -> ModelConfig:
    """Pythia 160M (Biderman et al. 2023, arXiv 2304.01373, table 1): a small GPT-NeoX; 162M parameters.

    Parallel sublayers with a norm each, and rotary positions on a quarter of each head
    (EleutherAI/pythia-160m, config.json).
    """
    return ModelConfig(
        max_length=2048,
        num_layers=12,
        d_model=768,
        num_heads=12,
        position=Rotary(rotary_dim=16),
        wiring="parallel_apart",
        mlp=MLPConfig(activation="gelu"),
        head=HeadConfig(weights="separate"),
        residual_init="plain",
    )
