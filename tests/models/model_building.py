"""Small models with random parameters, for the tests of this folder."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxgpt.core.nested import made
from jaxgpt.models import ModelConfig, Transformer
from jaxgpt.nn.position import Position

#: What each id stands for; rich enough for every position scheme of the library.
TEXTS = (*"0123456789", "+", "-", "=", "$", "a")

#: Arguments of a scheme whose defaults do not suit models this small.
ARGUMENTS = {
    "coupled": {"max_position": 16, "max_offset": 5},
    "abacus": {"max_position": 16, "max_offset": 5},
}

#: The batch of most tests. Operations outside of jit are compiled once a shape, so they share one.
TOKENS = jnp.asarray([[1, 2, 10, 3, 12, 5], [9, 11, 4, 12, 13, 0], [7, 7, 7, 10, 7, 12]] * 2)
SOURCE = jnp.asarray([[3, 1, 4], [1, 5, 9], [2, 6, 5]] * 2)


def scheme(name: str, **arguments) -> Position:
    """The position scheme called `name`, ready for `TEXTS`."""
    return Position.named(name)(**ARGUMENTS.get(name, {}), **arguments).resolve(TEXTS)


def config(**fields) -> ModelConfig:
    """A tiny model over `TEXTS`; no two of its sizes are equal, so that a mixed-up axis shows."""
    sizes = {
        "vocab_size": len(TEXTS),
        "max_length": 24,
        "d_model": 12,
        "num_heads": 4,
        "attention.num_kv_heads": 2,
    }
    return made(ModelConfig, **(sizes | {"attention.head_dim": 6, "d_ff": 20} | fields))


def build(description: ModelConfig) -> Transformer:
    """The model; every parameter is drawn anew, since zero biases and unit scales hide mistakes.

    Norm scales lie around 1, so that positions and masks make a difference far above any tolerance.
    """
    graph, state = nnx.split(nnx.eval_shape(lambda: Transformer(description, rngs=nnx.Rngs(0))))
    rng = np.random.default_rng(1)

    def draw(path, leaf):
        mean = 1.0 if "scale" in jax.tree_util.keystr(path) else 0.0
        return jnp.asarray(rng.normal(mean, 0.4, leaf.shape).astype(leaf.dtype))

    return nnx.merge(graph, jax.tree_util.tree_map_with_path(draw, state))


def scanned(model: Transformer) -> Transformer:
    """The same model with scanned layers: each block's arrays stacked along a new first dimension."""
    other = build(dataclasses.replace(model.config, layers="scanned"))
    pure = nnx.to_pure_dict(nnx.state(model))
    for role in ("encoder", "decoder"):
        if role in pure:
            blocks = [pure[role]["blocks"][i] for i in sorted(pure[role]["blocks"])]
            pure[role]["blocks"] = jax.tree.map(lambda *leaves: jnp.stack(leaves), *blocks)
    state = nnx.state(other)
    nnx.replace_by_pure_dict(state, pure)
    nnx.update(other, state)
    return other


def arrays(model: Transformer) -> dict:
    """The model's parameters as nested dictionaries of numpy arrays."""
    return jax.tree.map(np.asarray, nnx.to_pure_dict(nnx.state(model)))


def ids(text: str) -> list[int]:
    """Token ids of a text over `TEXTS`, one a character."""
    return [TEXTS.index(character) for character in text]


def padded(rows: list[list[int]], places: list[str], length: int) -> tuple[jax.Array, jax.Array]:
    """Rows as one batch, and their order: padding on the left, the right or in the middle of each."""
    tokens = np.full((len(rows), length), 14, np.int32)  # padding holds a real id: only the order tells
    order = np.full((len(rows), length), -1, np.int32)
    for index, (row, place) in enumerate(zip(rows, places, strict=True)):
        spare = length - len(row)
        cut = {"left": 0, "right": len(row), "middle": len(row) // 2}[place]
        slots = [*range(cut), *range(cut + spare, length)]
        tokens[index, slots], order[index, slots] = row, range(len(row))
    return jnp.asarray(tokens), jnp.asarray(order)
