"""The compiled part of decoding: one prefill, and a loop that runs many steps in one dispatch."""

import dataclasses
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int, Num

from jaxgpt.generation import cache_rows
from jaxgpt.generation.prompts import Padded
from jaxgpt.generation.sampling import Rules, choose
from jaxgpt.models.structure import Structure, Weights
from jaxgpt.models.token_features import Features
from jaxgpt.nn.attention.cache import Cache

#: The most tokens of one `extend`; fewer run in the same program.
CHUNK = 64


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Rows:
    """What decoding knows of each row apart from its cache.

    Attributes:
      token: the last one chosen, which the model has not read yet. [R]
      length: tokens generated so far. [R]
      limit: tokens that may be generated. [R]
      done: whether the row has ended. [R]
      beyond: whether it ended because its last token stands where the position scheme has no place. [R]
      present: tokens in the prompt and so far, where repetition is penalized. [R, V]
      keys: random keys. [R]
      number: features of `token` where it is a number, for a model that writes such. [R, F]
    """

    token: Int[Array, "R"]
    length: Int[Array, "R"]
    limit: Int[Array, "R"]
    done: Bool[Array, "R"]
    beyond: Bool[Array, "R"]
    present: Bool[Array, "R V"] | None
    keys: Array
    number: Num[Array, "R F"] | None = None


class Next(NamedTuple):
    """What a model says of the next token of each row.

    Attributes:
      logits: [R, V]
      numbers: of the number it may be, for a model that writes such. [R, P]
    """

    logits: Float[Array, "R V"]
    numbers: Float[Array, "R P"] | None

    @classmethod
    def after(cls, out) -> "Next":
        """From a model's output, what follows its last token."""
        return cls(out.logits[:, -1], None if out.numbers is None else out.numbers[:, -1])


@partial(jax.jit, static_argnames=("structure", "slots"))
def prefill(
    structure: Structure,
    weights: Weights,
    rules: Rules,
    rows: Rows,
    prompt: Padded,
    source: Padded | None,
    repeated: Int[Array, "R"] | None,
    *,
    slots: int,
) -> tuple[Cache, Rows, Int[Array, "R"]]:
    """Reads the prompts into a new cache and chooses a first token.

    Args:
      repeated: the prompt of each row; None means one row a prompt.

    Returns:
      The cache, the rows and each row's largest position in either stack, where the scheme has a size.
    """
    model = structure.model(weights)
    cache, next_, largest = read(model, prompt, source, slots)
    if repeated is not None:
        cache, largest = cache_rows.take(cache, repeated), largest[repeated]
        next_ = jax.tree.map(lambda leaf: leaf[repeated], next_)
    return cache, pick(model, rules, rows, next_), largest


def read(model: nnx.Module, prompt: Padded, source: Padded | None, slots: int):
    """The cache with the prompts in it, what comes `Next`, and the prompts' largest positions [B]."""
    out = model(
        prompt.tokens,
        order=prompt.order,
        source=None if source is None else source.tokens,
        source_order=None if source is None else source.order,
        features=Features(numbers=prompt.numbers, source_numbers=None if source is None else source.numbers),
        cache=model.init_cache(prompt.tokens.shape[0], slots),
        logits_of="last",
    )
    largest = jnp.where(out.cache.order >= 0, out.cache.positions, 0).max(axis=1)
    if source is not None:
        position = model.encoder.position
        positions, _ = position.assign(
            source.tokens, source.order, position.start(source.tokens.shape[0]), None
        )
        largest = jnp.maximum(largest, jnp.where(source.order >= 0, positions, 0).max(axis=1))
    return out.cache, Next.after(out), largest


@partial(jax.jit, static_argnames=("structure",), donate_argnames=("cache", "rows"))
def extend(
    structure: Structure, weights: Weights, rules: Rules, cache: Cache, rows: Rows, steps: Int[Array, ""]
) -> tuple[Cache, Rows, Int[Array, "R C"], Num[Array, "R C F"] | None]:
    """Up to `steps` more tokens a row, fewer once all rows are done; the cache is used up.

    Returns:
      The cache, the rows, and their new tokens and numbers in CHUNK columns, of which the first `steps`
      count.
    """
    model = structure.model(weights)
    size = model.decoder.position.size

    def unfinished(loop):
        index, _, rows, *_ = loop
        return (index < steps) & ~rows.done.all()

    def step(loop):
        index, cache, rows, out, numbers = loop
        cache, next_, position = feed(model, cache, rows.token, ~rows.done, rows.number)
        if size is not None:
            beyond = ~rows.done & (position >= size)
            rows = dataclasses.replace(rows, beyond=rows.beyond | beyond, done=rows.done | beyond)
        rows = pick(model, rules, rows, next_)
        out = jax.lax.dynamic_update_slice_in_dim(out, rows.token[:, None], index, axis=1)
        if numbers is not None:
            numbers = jax.lax.dynamic_update_slice_in_dim(numbers, rows.number[:, None], index, axis=1)
        return index + 1, cache, rows, out, numbers

    out = jnp.broadcast_to(rules.pad_id, (rows.token.shape[0], CHUNK))
    numbers = rows.number
    if numbers is not None:
        numbers = jnp.zeros((numbers.shape[0], CHUNK, numbers.shape[1]), numbers.dtype)
    begun = (jnp.int32(0), cache, rows, out, numbers)
    _, cache, rows, out, numbers = jax.lax.while_loop(unfinished, step, begun)
    return cache, rows, out, numbers


def feed(
    model: nnx.Module,
    cache: Cache,
    token: Int[Array, "R"],
    live: Bool[Array, "R"],
    number: Num[Array, "R F"] | None = None,
):
    """One token a row through the model: the cache, what comes `Next`, and the tokens' positions [R].

    Rows that are not live read padding, which leaves no trace.
    """
    at = cache.used
    tokens, order = jnp.where(live, token, 0), jnp.where(live, 0, -1)
    numbers = None if number is None else number[:, None]
    out = model(tokens[:, None], order=order[:, None], features=Features(numbers=numbers), cache=cache)
    return out.cache, Next.after(out), jax.lax.dynamic_index_in_dim(out.cache.positions, at, 1, False)


def pick(model: nnx.Module, rules: Rules, rows: Rows, next_: Next) -> Rows:
    """The rows with their next token chosen; padding where they are done.

    A number is the most likely one whatever the sampling, which is of tokens.
    """
    token = choose(rules, next_.logits, rows.present, rows.keys, rows.length)
    token = jnp.where(rows.done, rules.pad_id, token)
    length = rows.length + ~rows.done
    present = rows.present
    if present is not None:
        present = present | (jax.nn.one_hot(token, present.shape[1], dtype=bool) & ~rows.done[:, None])
    ended = (token[:, None] == rules.eos_ids).any(axis=1)
    done = rows.done | ended | (length >= rows.limit)
    number = None if next_.numbers is None else model.config.number.choose(next_.numbers)
    return dataclasses.replace(rows, token=token, length=length, present=present, done=done, number=number)


@partial(jax.jit, static_argnames=("slots",))
def grow(cache: Cache, *, slots: int) -> Cache:
    """The cache with `slots` slots; attention reads them all, so there are never many more than needed."""
    return cache_rows.grow(cache, slots)
