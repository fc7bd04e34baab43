"""A small decoder over byte pairs, and what the plain decoder says of it without padding or batches."""

import functools

import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxgpt.core.nested import made
from jaxgpt.models import ModelConfig, Transformer, plain
from jaxgpt.nn.position.learned import Learned
from jaxgpt.tokenizers import build
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: One width of rows, so that little is compiled.
LENGTH = 32
TRAINED_ON = [
    "the cat sat on the mat and the dog sat by the door, and then the cat saw the dog and ran to the door.\n",
    "once there was a king who had a horse, and the horse had a red saddle; the king liked the horse.\n",
] * 4


@functools.cache
def tokenizer() -> Tokenizer:
    """Byte pairs with a space in front of words."""
    return build("bpe:290", lambda: TRAINED_ON)


@functools.cache
def model(seed: int = 0) -> Transformer:
    """A decoder whose weights are large enough that its tokens differ in probability."""
    sizes = {"num_layers": 1, "d_model": 16, "num_heads": 2, "max_length": LENGTH, "position": Learned()}
    config = made(ModelConfig, **sizes, init_std=0.3)
    return Transformer(config.for_vocabulary(tokenizer().vocabulary()), rngs=nnx.Rngs(seed))


@functools.cache
def log_probabilities(ids: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Of every token behind each of these, by the plain decoder. [T, V]"""
    given = model(seed)
    # One length, so that little is compiled: what follows a token is not seen by it.
    padded = jnp.asarray([[*ids, *[0] * (LENGTH - len(ids))]])
    logits = np.asarray(_plain(seed)(padded)[0], np.float64)[: len(ids)]
    assert given.config.max_length >= len(ids)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


@functools.cache
def _plain(seed: int):
    import jax

    given = model(seed)
    weights = plain.weights_of(given)
    return jax.jit(lambda tokens: plain.logits(given.config, weights, tokens))


def log_likelihood(context: list[int], ids: list[int], seed: int = 0) -> tuple[float, list[bool]]:
    """Of tokens behind a context that is cut to what the model reads; whether each is the likeliest."""
    whole = (context + ids)[-(LENGTH + 1) :]
    logs = log_probabilities(tuple(whole[:-1]), seed)[-len(ids) :]
    total = sum(row[token] for row, token in zip(logs, ids, strict=True))
    return float(total), [int(row.argmax()) == token for row, token in zip(logs, ids, strict=True)]


def of_texts(context: str, text: str, seed: int = 0) -> tuple[float, list[bool]]:
    """The same of texts: encoded together, behind the token that begins a text."""
    ours = tokenizer()
    before, whole = ours.encode(context), ours.encode(context + text)
    return log_likelihood([ours.bos_id, *before], whole[len(before) :], seed)
