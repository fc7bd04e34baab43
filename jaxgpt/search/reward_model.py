"""A model of which of two sets is larger once repaired: the reward model of learning from preferences."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float

#: Width of the hidden layer, pairs of a step, steps and learning rate of a fit.
_WIDTH, _PAIRS, _STEPS, _RATE = 64, 256, 200, 3e-3

Weights = dict[str, Float[Array, "..."]]


def fit(
    known: dict[str, np.ndarray], sets: Bool[np.ndarray, "S E"], scores: Float[np.ndarray, " S"], seed: int
) -> dict[str, np.ndarray]:
    """What is known after pairs of these sets, by the likelihood of Bradley and Terry (1952).

    That the first of a pair is preferred has the probability sigmoid(r(first) - r(second)), as in Ouyang et
    al. 2022 (InstructGPT, arXiv 2203.02155), equation 1; r is a perceptron of the members, with one hidden
    layer. Pairs of one score say nothing and are left out.
    """
    draw = np.random.default_rng([seed, 4])
    first, second = draw.integers(len(sets), size=(2, _STEPS, _PAIRS))
    sign = np.sign(scores[first] - scores[second]).astype(np.float32)
    weights = {name: jnp.asarray(value) for name, value in known.items()} or _drawn(sets.shape[1], seed)
    found = _fitted(weights, jnp.asarray(sets, jnp.float32), jnp.stack([first, second], 1), jnp.asarray(sign))
    return {name: np.asarray(value) for name, value in found.items()}


def values(known: dict[str, np.ndarray], sets: Bool[np.ndarray, "S E"]) -> Float[np.ndarray, " S"]:
    """The reward of each set; only differences mean something."""
    return np.asarray(_value({n: jnp.asarray(v) for n, v in known.items()}, jnp.asarray(sets, jnp.float32)))


def _drawn(size: int, seed: int) -> Weights:
    into, out = jax.random.split(jax.random.key(seed))
    return {
        "into": jax.random.normal(into, (size, _WIDTH)) * size**-0.5,
        "bias": jnp.zeros(_WIDTH),
        "out": jax.random.normal(out, (_WIDTH,)) * _WIDTH**-0.5,
    }


def _value(weights: Weights, sets: Float[Array, "... E"]) -> Float[Array, "..."]:
    return jax.nn.gelu(sets @ weights["into"] + weights["bias"]) @ weights["out"]


@partial(jax.jit)
def _fitted(weights: Weights, sets: Array, pairs: Array, sign: Array) -> Weights:
    rule = optax.adam(_RATE)

    def loss(weights: Weights, pair: Array, sign: Array) -> Array:
        first, second = _value(weights, sets[pair])
        each = jax.nn.softplus(-sign * (first - second)) * jnp.abs(sign)
        return each.sum() / jnp.maximum(jnp.abs(sign).sum(), 1)

    def step(carried: tuple, batch: tuple) -> tuple[tuple, None]:
        weights, state = carried
        updates, state = rule.update(jax.grad(loss)(weights, *batch), state)
        return (optax.apply_updates(weights, updates), state), None

    (weights, _), _ = jax.lax.scan(step, (weights, rule.init(weights)), (pairs, sign))
    return weights
