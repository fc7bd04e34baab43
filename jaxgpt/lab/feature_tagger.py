"""A tagger of words that reads frozen features: a biLSTM and a softmax, and how it is trained.

Devlin et al. 2019, arXiv 1810.04805, section 5.3: two layers that read the features of all tokens from both
sides, and a softmax at the first token of each word.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from jaxgpt.nn.linear import Linear
from jaxgpt.nn.recurrent_cells import Cell

#: Layers of the biLSTM.
_LAYERS = 2
#: The share of the steps in which the learning rate rises; it falls in a line to zero behind them.
_WARMUP = 0.1


class FeatureTagger(nnx.Module):
    """Logits of each token's tag from its features and those around it.

    Args:
      width: of a layer's features.
      hidden: of each direction of the biLSTM.
      tags: how many there are.
      layers: where features are those of several layers, [B, T, layers * width], how many; their weighted sum
        is read, with softmax weights and a factor that are learned (Peters et al. 2018, arXiv 1802.05365,
        equation 1). 1: features are read as they are.
    """

    def __init__(self, width: int, hidden: int, tags: int, *, layers: int = 1, rngs: nnx.Rngs):
        types: dict[str, Any] = {"std": None, "dtype": "float32", "param_dtype": "float32", "rngs": rngs}
        inputs = [width] + [2 * hidden] * (_LAYERS - 1)
        self.forwards = nnx.List([Cell("lstm", size, hidden, **types) for size in inputs])
        self.backwards = nnx.List([Cell("lstm", size, hidden, **types) for size in inputs])
        self.out = Linear({"embed": 2 * hidden}, {None: tags}, bias=True, **types)
        self.mixed = nnx.Param(jnp.zeros(layers)) if layers > 1 else None
        self.factor = nnx.Param(jnp.ones(())) if layers > 1 else None

    def __call__(self, x: Float[Array, "B T F"], real: Bool[Array, "B T"]) -> Float[Array, "B T C"]:
        if self.mixed is not None:
            apart = x.reshape(*x.shape[:2], len(self.mixed[...]), -1)
            x = self.factor[...] * jnp.einsum("btld,l->btd", apart, jax.nn.softmax(self.mixed[...]))
        for forwards, backwards in zip(self.forwards, self.backwards, strict=True):
            start = forwards.start(len(x), x.dtype)
            left, _ = forwards(x, real, start)
            right, _ = backwards(x, real, start, backwards=True)
            x = jnp.concatenate([left, right], axis=-1)
        return self.out(x)


#: Logits [B, T, C] of parameters and a batch, which is a dictionary of arrays.
Logits = Callable[[Any, Mapping[str, Array]], Array]


@functools.partial(jax.jit, static_argnames=("logits", "steps", "batch_size"))
def trained(
    logits: Logits,
    params: Any,
    data: Mapping[str, Array],
    keys: Array,
    rate: Array,
    *,
    steps: int,
    batch_size: int,
) -> Any:
    """Parameters after so many steps of Adam on tagged texts; the seeds side by side.

    Args:
      params: of each seed, along the first dimension of each array.
      data: arrays of the texts, N along the first dimension; `labels` [N, T] are -1 where there is no word.
      keys: of each seed, for the order of the texts.
      rate: the highest learning rate.
    """
    warmup = max(1, round(_WARMUP * steps))
    schedule = optax.schedules.warmup_cosine_decay_schedule(0.0, 1.0, warmup, steps)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam())

    def loss(params, batch):
        found = logits(params, batch)
        known = batch["labels"] >= 0
        each = optax.softmax_cross_entropy_with_integer_labels(found, jnp.maximum(batch["labels"], 0))
        return jnp.where(known, each, 0).sum() / jnp.maximum(known.sum(), 1)

    def one_seed(params, key):
        def step(carry, number):
            params, state = carry
            chosen = jax.random.choice(
                jax.random.fold_in(key, number), len(data["labels"]), (batch_size,), replace=False
            )
            batch = {name: value[chosen] for name, value in data.items()}
            changes, state = optimizer.update(jax.grad(loss)(params, batch), state)
            scale = -rate * schedule(number)
            return (optax.apply_updates(params, jax.tree.map(lambda c: scale * c, changes)), state), None

        (params, _), _ = jax.lax.scan(step, (params, optimizer.init(params)), jnp.arange(steps))
        return params

    return jax.vmap(one_seed)(params, keys)


@functools.partial(jax.jit, static_argnames=("logits", "batch_size"))
def right(logits: Logits, params: Any, data: Mapping[str, Array], *, batch_size: int) -> Int[Array, " R"]:
    """How many words of some tagged texts each seed's parameters tag right."""

    def one_seed(params):
        def of_text(part):
            batch = {name: value[None] for name, value in part.items()}
            told = logits(params, batch)[0].argmax(axis=-1)
            return (told == part["labels"]).sum()  # no tag is -1

        return jax.lax.map(of_text, dict(data), batch_size=batch_size).sum()

    return jax.vmap(one_seed)(params)
