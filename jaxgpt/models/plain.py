"""A plain decoder: what the fast paths are compared with, and what to read first.

A transformer that reads a text from left to right and says what comes next, as pure functions of arrays.
Every array is named by its shape:

    B rows              D width of the model       H query heads                  K width of a head
    T tokens of a row   F width inside the MLP     G key and value heads          J = K / 2
    S the same, met     V ids                      R = H / G

The weights are those of `jaxgpt.Transformer`, by their names. `Transformer` computes the same, and besides it
decodes with a cache, computes attention in one kernel or in blocks, drops out, and knows other wirings,
position schemes, windows and encoders.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.none import NoPosition
from jaxgpt.nn.position.rotary import Rotary

Weights = Mapping[str, Array]

ACTIVATIONS = {
    "relu": jax.nn.relu,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
    "silu": jax.nn.silu,
}
#: Of these the activation is that of a gate.
GATED = {"geglu": "gelu", "geglu_tanh": "gelu_tanh", "swiglu": "silu"}


def weights_of(model: nnx.Module) -> dict[str, Array]:
    """All weights of a model by their names, such as `decoder.blocks.0.attention.query.kernel`."""
    return {".".join(map(str, path)): leaf[...] for path, leaf in nnx.to_flat_state(nnx.state(model))}


def logits(config: ModelConfig, w: Weights, tokens_BT: Int[Array, "B T"]) -> Float[Array, "B T V"]:
    """Of the token that follows each token.

    Raises:
      ValueError: for a model that is more than this.
    """
    check(config)
    x_BTD = w["embedding.table"][tokens_BT]
    if isinstance(config.position, Learned):
        x_BTD = x_BTD + w["decoder.tables.table"][: tokens_BT.shape[1]]
    for layer in range(config.num_layers):
        x_BTD = block(config, part(w, f"decoder.blocks.{layer}"), x_BTD)
    x_BTD = norm(config, part(w, "decoder.norm"), x_BTD)
    head_DV = w["head"] if config.head.weights == "separate" else w["embedding.table"].T
    return x_BTD @ head_DV + w.get("head_bias", 0.0)


def block(config: ModelConfig, w: Weights, x_BTD: Array) -> Array:
    """x + attention(norm(x)), then x + mlp(norm(x))."""
    x_BTD = x_BTD + attention(config, part(w, "attention"), norm(config, part(w, "norms.0"), x_BTD))
    return x_BTD + mlp(config, part(w, "mlp"), norm(config, part(w, "norms.1"), x_BTD))


def attention(config: ModelConfig, w: Weights, x_BTD: Array) -> Array:
    """softmax(q k^T / sqrt(K)) v, where no token sees those behind it."""
    q_BTHK = jnp.einsum("BTD,DHK->BTHK", x_BTD, w["query.kernel"]) + w.get("query.bias", 0.0)
    k_BTGK = jnp.einsum("BTD,DGK->BTGK", x_BTD, w["key.kernel"]) + w.get("key.bias", 0.0)
    v_BTGK = jnp.einsum("BTD,DGK->BTGK", x_BTD, w["value.kernel"]) + w.get("value.bias", 0.0)
    if isinstance(config.position, Rotary):
        q_BTHK, k_BTGK = rotate(config.position, q_BTHK), rotate(config.position, k_BTGK)
    B, T, H, K = q_BTHK.shape
    G = k_BTGK.shape[2]
    q_BTGRK = q_BTHK.reshape(B, T, G, H // G, K)  # one key and value head serves R queries
    scores_BGRTS = jnp.einsum("BTGRK,BSGK->BGRTS", q_BTGRK, k_BTGK) / jnp.sqrt(K)
    seen_TS = jnp.tril(jnp.ones((T, T), bool))
    weights_BGRTS = jax.nn.softmax(jnp.where(seen_TS, scores_BGRTS, -jnp.inf), axis=-1)
    mixed_BTHK = jnp.einsum("BGRTS,BSGK->BTGRK", weights_BGRTS, v_BTGK).reshape(B, T, H, K)
    return jnp.einsum("BTHK,HKD->BTD", mixed_BTHK, w["out.kernel"]) + w.get("out.bias", 0.0)


def rotate(position: Rotary, x_BTHK: Array) -> Array:
    """Each pair of features (j, j + K/2) turned by an angle that grows with the token's place."""
    _, T, _, K = x_BTHK.shape
    frequency_J = position.theta ** (-2 * jnp.arange(K // 2) / K)
    angle_TJ = jnp.arange(T)[:, None] * frequency_J
    cos_T1J, sin_T1J = jnp.cos(angle_TJ)[:, None], jnp.sin(angle_TJ)[:, None]
    a_BTHJ, b_BTHJ = jnp.split(x_BTHK, 2, axis=-1)
    return jnp.concatenate(
        [a_BTHJ * cos_T1J - b_BTHJ * sin_T1J, b_BTHJ * cos_T1J + a_BTHJ * sin_T1J], axis=-1
    )


def mlp(config: ModelConfig, w: Weights, x_BTD: Array) -> Array:
    """f(x W1) W2, or (f(x Wg) * x W1) W2."""
    name = config.mlp.activation
    up_BTF = x_BTD @ w["up.kernel"] + w.get("up.bias", 0.0)
    if name in GATED:
        gate_BTF = x_BTD @ w["gate.kernel"] + w.get("gate.bias", 0.0)
        hidden_BTF = ACTIVATIONS[GATED[name]](gate_BTF) * up_BTF
    else:
        hidden_BTF = ACTIVATIONS[name](up_BTF)
    return hidden_BTF @ w["down.kernel"] + w.get("down.bias", 0.0)


def norm(config: ModelConfig, w: Weights, x_BTD: Array) -> Array:
    """Layer norm, or RMS norm, which subtracts no mean."""
    if config.norm == "layer":
        x_BTD = x_BTD - x_BTD.mean(-1, keepdims=True)
    x_BTD = x_BTD / jnp.sqrt((x_BTD**2).mean(-1, keepdims=True) + config.norm_epsilon)
    return x_BTD * w["scale"] + w.get("bias", 0.0)


def part(w: Weights, prefix: str) -> dict[str, Array]:
    """The weights below a name, by the rest of their names."""
    return {
        name.removeprefix(f"{prefix}."): leaf for name, leaf in w.items() if name.startswith(f"{prefix}.")
    }


def check(config: ModelConfig) -> None:
    """Raises ValueError for a model that is more than the plain decoder."""
    simple = {
        "position": type(config.position) in (Learned, NoPosition)
        or config.position == Rotary(theta=getattr(config.position, "theta", 0.0)),
        "norm": config.norm in ("layer", "rms"),
        "mlp.activation": config.mlp.activation in (*ACTIVATIONS, *GATED),
    }
    plain = ModelConfig()
    for name in (
        "kind",
        "mixer",
        "loops",
        "window",
        "sparse",
        "memory",
        "wiring",
        "layers",
        "segments",
        "number",
    ):
        simple[name] = getattr(config, name) == getattr(plain, name)
    for name in ("scale", "softcap", "qk_norm", "factor", "maps"):
        simple[f"attention.{name}"] = getattr(config.attention, name) == getattr(plain.attention, name)
    for name in ("transform", "factor", "softcap"):
        simple[f"head.{name}"] = getattr(config.head, name) == getattr(plain.head, name)
    simple["embedding"] = config.embedding == plain.embedding
    simple["head.weights"] = config.head.weights != "none"
    if more := [name for name, holds in simple.items() if not holds]:
        raise ValueError(f"the plain decoder has no other {', '.join(more)}; use jaxgpt.Transformer")
