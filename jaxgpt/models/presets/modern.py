"""Decoders since 2023: Llama, Qwen, Phi, OLMo, Gemma."""

import dataclasses

from jaxgpt.core.nested import replaced
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.position.rotary import Rotary


def llama2_7b() -> ModelConfig:
    """Llama 2 7B (Touvron et al. 2023, arXiv 2307.09288, table 1; layers: 2302.13971, table 2)."""
    return ModelConfig(
        max_length=4096,
        num_layers=32,
        d_model=4096,
        num_heads=32,
        d_ff=11008,
        position=Rotary(),
        norm="rms",
        mlp=MLPConfig(activation="swiglu", bias=False),
        attention=AttentionConfig(bias=False, out_bias=False),
        head=HeadConfig(weights="separate"),
        residual_init="plain",
    )


def qwen2_500m() -> ModelConfig:
    """Qwen2 0.5B (Yang et al. 2024, arXiv 2407.10671, table 1): biases on queries, keys and values; 494M.

    32,768 tokens and waves of base 1,000,000 (section 3.2.2).
    """
    return replaced(
        llama2_7b(),
        {
            "max_length": 32_768,
            "num_layers": 24,
            "d_model": 896,
            "num_heads": 14,
            "attention.num_kv_heads": 2,
            "d_ff": 4864,
            "position": Rotary(theta=1_000_000.0),
            "norm_epsilon": 1e-6,
            "attention.bias": True,
            "head.weights": "tied",
        },
    )


def qwen3_600m() -> ModelConfig:
    """Qwen3 0.6B (Yang et al. 2025, arXiv 2505.09388, table 1): norms on queries and keys."""
    return replaced(
        llama2_7b(),
        {
            "max_length": 40_960,
            "num_layers": 28,
            "d_model": 1024,
            "num_heads": 16,
            "attention.num_kv_heads": 8,
            "attention.head_dim": 128,
            "d_ff": 3072,
            "position": Rotary(theta=1_000_000.0),
            "norm_epsilon": 1e-6,
            "attention.qk_norm": True,
            "head.weights": "tied",
        },
    )


def phi3_mini() -> ModelConfig:
    """Phi-3 mini 4k (Abdin et al. 2024, arXiv 2404.14219, section 2): a Llama of 3.8B parameters.

    Width inside the MLP and window are those of microsoft/Phi-3-mini-4k-instruct, config.json.
    """
    return dataclasses.replace(llama2_7b(), d_model=3072, d_ff=8192, window=2047)


def olmo2_7b() -> ModelConfig:
    """OLMo 2 7B (OLMo Team 2024, arXiv 2501.00656, tables 1 and 3): norms behind the sublayers; 7.3B.

    Queries and keys are normalized over all heads. Width inside the MLP: allenai/OLMo-2-1124-7B, config.json.
    """
    return replaced(
        llama2_7b(),
        {
            "position": Rotary(theta=500_000.0),
            "wiring": "res_post",
            "norm_epsilon": 1e-6,
            "attention.qk_norm": True,
            "attention.qk_norm_over": "all",
        },
    )


def gemma_2b() -> ModelConfig:
    """Gemma 2B (Gemma Team 2024, arXiv 2403.08295, table 1): one key and value head, heads of width 256."""
    return replaced(
        llama2_7b(),
        {
            "max_length": 8192,
            "num_layers": 18,
            "d_model": 2048,
            "num_heads": 8,
            "attention.num_kv_heads": 1,
            "attention.head_dim": 256,
            "d_ff": 16_384,
            "norm": "rms_plus_one",
            "norm_epsilon": 1e-6,
            "mlp.activation": "geglu_tanh",
            "head.weights": "tied",
            "embedding.scale": 2048**0.5,
        },
    )


def gemma2_2b() -> ModelConfig:
    """Gemma 2 2B (Gemma Team 2024, arXiv 2408.00118, table 1): windows in every other layer, soft caps."""
    return replaced(
        gemma_2b(),
        {
            "num_layers": 26,
            "d_model": 2304,
            "attention.num_kv_heads": 4,
            "d_ff": 9216,
            "wiring": "sandwich",
            "window": 4096,
            "window_layers": (True, False),
            "attention.softcap": 50.0,
            "head.softcap": 30.0,
            "embedding.scale": 2304**0.5,
        },
    )


def gemma3_1b() -> ModelConfig:
    """Gemma 3 1B (Gemma Team 2025, arXiv 2503.19786, section 2): five windows of 512 to a full layer."""
    return replaced(
        gemma2_2b(),
        {
            "max_length": 32_768,
            "d_model": 1152,
            "num_heads": 4,
            "attention.num_kv_heads": 1,
            "d_ff": 6912,
            "position": Rotary(theta=1_000_000.0),
            "window": 512,
            "window_layers": (True, True, True, True, True, False),
            "window_position": Rotary(),
            "attention.softcap": None,
            "head.softcap": None,
            "attention.qk_norm": True,
            "embedding.scale": 1152**0.5,
        },
    )
