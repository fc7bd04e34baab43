"""Small models whose every parameter is random, so that their outputs vary, and slow reference code."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxgpt.core.nested import made
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.position.abacus import Abacus
from jaxgpt.nn.position.alibi import ALiBi
from jaxgpt.nn.position.coupled import Coupled
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.none import NoPosition
from jaxgpt.nn.position.relative import Relative
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.nn.position.sinusoidal import Sinusoidal
from jaxgpt.tokenizers.vocabulary import Vocabulary

#: The texts of the ids of every test here: pad, bos, eos, the digits, and some signs.
TEXTS = ["", "", "", *"0123456789", *"+=ab"]
BOS, EOS, DIGIT, PLUS, EQUALS = 1, 2, 3, 13, 14

POSITIONS = {
    "rotary": Rotary(),
    "learned": Learned(),
    "relative": Relative(num_buckets=8, max_distance=20),
    "alibi": ALiBi(),
    "coupled": Coupled(max_position=64, max_offset=4),
    "abacus": Abacus(max_position=64, max_offset=4),
    "sinusoidal": Sinusoidal(),
    "none": NoPosition(),
}


@functools.lru_cache
def random_model(seed=0, spread=0.3, **fields) -> Transformer:
    """A model with parameters from N(0, spread), the same object for the same arguments.

    Those of the norms stay near 1 and 0; else their biases drown what the model reads, and it says the
    same token for ever.
    """
    defaults = {"d_model": 16, "num_heads": 2, "num_layers": 1, "max_length": 64, "head.weights": "separate"}
    config = made(ModelConfig, **defaults | fields).for_vocabulary(Vocabulary(TEXTS))
    graph, state = nnx.split(Transformer(config, rngs=nnx.Rngs(0)))
    rng = np.random.default_rng(seed)

    def draw(path, leaf):
        name = jax.tree_util.keystr(path)
        around = 1.0 if "scale" in name else 0.0
        width = spread / 10 if "norm" in name else spread
        return jnp.asarray(around + rng.normal(0, width, leaf.shape), leaf.dtype)

    return nnx.merge(graph, jax.tree_util.tree_map_with_path(draw, state))


class Naive:
    """Greedy decoding that runs the whole forward pass, without a cache, for each token."""

    def __init__(self, model, width=64):
        graph, self.params = nnx.split(model)
        self.width = width

        @jax.jit
        def logits(params, tokens, order, source):
            extra = {} if source is None else {"source": source}
            return nnx.merge(graph, params)(tokens, order=order, **extra).logits

        self._logits = logits

    def logits(self, ids, source=None) -> np.ndarray:
        """Of the token after `ids`. [V]"""
        tokens, order = np.zeros((1, self.width), np.int32), np.full((1, self.width), -1, np.int32)
        tokens[0, : len(ids)], order[0, : len(ids)] = ids, np.arange(len(ids))
        source = None if source is None else jnp.asarray([source])
        return np.asarray(self._logits(self.params, tokens, order, source))[0, len(ids) - 1]

    def greedy(self, prompt, count, source=None) -> list[int]:
        ids = list(prompt)
        for _ in range(count):
            ids.append(int(self.logits(ids, source).argmax()))
        return ids[len(prompt) :]


@functools.lru_cache
def naive_for(model, width=64) -> Naive:
    """The same one each time, because each compiles anew."""
    return Naive(model, width)


@functools.lru_cache
def favour(*favourites, **fields) -> Transformer:
    """A random model with numbers added to the logits of some tokens, given as (token, number)."""
    model = random_model(**fields, **{"head.bias": True})
    graph, state = nnx.split(model)
    model = nnx.merge(graph, jax.tree.map(jnp.array, state))
    for token, amount in favourites:
        model.head_bias[...] = model.head_bias[...].at[token].add(amount)
    return model


def always(token, **fields) -> Transformer:
    """A model that says `token` whatever it reads."""
    return favour((token, 1000.0), **fields)
