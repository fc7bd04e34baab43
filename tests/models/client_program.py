"""Exports models, calls them on a mesh with explicit axes, tabulates them; prints the outcome as JSON.

A program of its own: the number of devices is fixed when JAX starts, and the shape checks of the other tests
refuse symbolic shapes and the stand-ins for arrays that `nnx.tabulate` prints.
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import export
from jax.sharding import NamedSharding, PartitionSpec
from test_architectures import config

import jaxgpt
from jaxgpt.models.transformer import Transformer

IDS = jnp.asarray(np.random.default_rng(0).integers(0, 12, (8, 8)), jnp.int32)
#: One of each kind of layer, and of each kind of model.
NAMES = ("gpt2", "longformer_base", "char_lstm")
TABULATED = ("gpt2", "bert_base", "longformer_base", "gemma2_2b", "makemore_mlp")


def model_and_loss(name: str):
    """A model's state, and the loss with the logits as a function of state and tokens."""
    model = Transformer(config(name), rngs=nnx.Rngs(0))
    graph, state = nnx.split(model)

    def loss(state, ids):
        source = {"source": ids} if model.config.kind == "encoder_decoder" else {}
        logits = nnx.merge(graph, state)(ids, **source).logits
        return jnp.mean(jnp.square(logits)), logits

    return state, loss


def exported(name: str, shape: str, sizes: list[tuple[int, int]]) -> float:
    """How far a program exported for open sizes is from the model, at the worst."""
    state, loss = model_and_loss(name)
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), state)
    ids = export.symbolic_shape(shape, constraints=["t <= 24"] if "t" in shape else [])
    program = export.export(jax.jit(loss))(shapes, jax.ShapeDtypeStruct(ids, jnp.int32))
    return max(
        _apart(program.call(state, IDS[:rows, :length])[1], jax.jit(loss)(state, IDS[:rows, :length])[1])
        for rows, length in sizes
    )


def on_explicit_mesh(name: str) -> dict[str, float]:
    """How far a model with spread weights and a spread batch is from itself on one device."""
    state, loss = model_and_loss(name)
    step = jax.jit(jax.value_and_grad(loss, has_aux=True))
    (_, logits), slopes = step(state, IDS)
    mesh = jax.make_mesh((4, 2), ("data", "model"))

    def spread(leaf):
        divided = leaf.ndim > 0 and leaf.shape[0] % 2 == 0
        return NamedSharding(mesh, PartitionSpec("model") if divided else PartitionSpec())

    put = jax.device_put(state, jax.tree.map(spread, state))
    ids = jax.device_put(IDS, NamedSharding(mesh, PartitionSpec("data")))
    with jax.set_mesh(mesh):
        (_, found), found_slopes = step(put, ids)
    assert found.sharding.spec[0] == "data"
    pairs = zip(jax.tree.leaves(slopes), jax.tree.leaves(found_slopes), strict=True)
    return {"logits": _apart(found, logits), "gradients": max(_apart(one, other) for one, other in pairs)}


def answers_on_explicit_mesh() -> bool:
    """Whether a model writes the same on such a mesh, whose prompts and weights are nowhere special."""
    model = Transformer(config("gpt2"), rngs=nnx.Rngs(0))
    wanted = jaxgpt.generate(model, [[1, 2, 3], [4, 5]], max_new_tokens=5)
    with jax.set_mesh(jax.make_mesh((8,), ("data",))):
        found = jaxgpt.generate(model, [[1, 2, 3], [4, 5]], max_new_tokens=5)
    return bool(np.array_equal(found, wanted))


def tabulated(name: str) -> str:
    """The table of a model's layers."""
    return nnx.tabulate(Transformer(config(name), rngs=nnx.Rngs(0)), IDS, console_kwargs={"width": 200})


def _apart(one, other) -> float:
    return float(np.max(np.abs(np.asarray(one) - np.asarray(other))))


if __name__ == "__main__":
    found = {
        "exported": {name: exported(name, "b, 8", [(1, 8), (3, 8)]) for name in NAMES},
        "exported for any length": exported("gpt2", "b, t", [(3, 8), (2, 5)]),
        "explicit": {name: on_explicit_mesh(name) for name in NAMES},
        "answers": answers_on_explicit_mesh(),
        "tables": {name: tabulated(name) for name in TABULATED},
    }
    print(json.dumps(found))
