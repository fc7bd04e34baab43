"""Beam search: the most likely continuations instead of one chosen token by token."""

import dataclasses
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from jaxgpt.generation import cache_rows as rows
from jaxgpt.generation import decode_loop as loop
from jaxgpt.generation import prompts
from jaxgpt.generation.prompts import Ids, Padded
from jaxgpt.generation.sampling import Ends, ends
from jaxgpt.models.structure import split
from jaxgpt.nn.attention.cache import Cache


class Beams(NamedTuple):
    """Hypotheses, the best of each prompt first (W width, N most new tokens).

    Attributes:
      tokens: eos included, then padding. [B, W, N]
      scores: log probability over the length penalty; -inf where there is no hypothesis. [B, W]
      lengths: tokens of each. [B, W]
    """

    tokens: Int[np.ndarray, "B W N"]
    scores: Float[np.ndarray, "B W"]
    lengths: Int[np.ndarray, "B W"]


def beam_search(
    model: nnx.Module,
    prompt_ids: Ids,
    *,
    width: int,
    max_new_tokens: int,
    length_penalty: float = 0.0,
    eos_id: Ends = None,
    pad_id: int = 0,
    source: Ids | None = None,
) -> Beams:
    """The `width` best continuations that a beam of `width` finds; with width 1 and no penalty, greedy's.

    A hypothesis Y scores log P(Y) / ((5 + |Y|) / 6)^alpha (Wu et al. 2016, section 7, equation 14, without
    its coverage term); |Y| counts the eos. One without eos is complete at `max_new_tokens`. At each step
    the continuations among the `width` best that end with eos are set aside and the `width` best others go
    on, until none of those can score better than all that is set aside. A hypothesis whose number grows
    beyond `position.max_position` is dropped.

    Args:
      prompt_ids, source: as in `generate`.
      length_penalty: alpha; 0 compares probabilities, more favours longer sequences.

    Raises:
      ValueError: as `generate`; for a width below 1 and a negative penalty; and if a prompt is left
        without any hypothesis.
    """
    config = model.config
    prompts.check_request(config, source, max_new_tokens)
    if config.number is not None:
        raise ValueError(
            f"beam search ranks tokens, and number={type(config.number).kind()} writes a number in one token "
            "without alternatives; use generate"
        )
    if width < 1:
        raise ValueError(f"width={width} must be at least 1")
    if not 0 <= length_penalty < np.inf:
        raise ValueError(f"length_penalty={length_penalty} must be at least 0")
    prompt_rows = prompts.checked(prompt_ids, config, "prompts")
    if not prompt_rows:
        shape = (0, width)
        return Beams(np.zeros((*shape, max_new_tokens), np.int32), np.zeros(shape), np.zeros(shape, np.int32))
    for index, row in enumerate(prompt_rows):
        prompts.room(index, len(row), max_new_tokens, config.max_length, "error")
    if source is not None:
        source = prompts.pad(prompts.checked_source(source, len(prompt_rows), config), config.max_length)
    prompt = prompts.pad(prompt_rows, config.max_length)
    structure, weights = split(model)
    found, largest = _search(
        structure,
        weights,
        prompt,
        source,
        limit=jnp.int32(max_new_tokens),
        alpha=jnp.float32(length_penalty),
        eos_ids=jnp.asarray(ends(eos_id)),
        width=width,
        slots=prompts.bucket(prompt.tokens.shape[1] + max_new_tokens),
        columns=prompts.bucket(max_new_tokens),
    )
    prompts.check_positions(config, [largest])
    tokens, scores, lengths = (
        np.array(x) for x in jax.device_get((found.tokens, found.scores, found.lengths))
    )
    lost = ~np.isfinite(scores[:, 0])
    if lost.any():
        raise ValueError(
            f"no hypothesis of prompt {int(lost.argmax())} fits position.{config.position.size_name}="
            f"{config.position.size}; lower max_new_tokens or raise {config.position.size_name}"
        )
    tokens = tokens[:, :, :max_new_tokens]
    tokens[np.arange(max_new_tokens) >= lengths[:, :, None]] = pad_id
    return Beams(tokens, scores, lengths)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class _Pool:
    """Hypotheses, best first; empty places score -inf. While they go on, the score is log P."""

    tokens: Int[Array, "B W N"]
    scores: Float[Array, "B W"]
    lengths: Int[Array, "B W"]

    def best(self, width: int) -> tuple["_Pool", Int[Array, "B W"]]:
        """The best `width`, and where they were; the first of equals wins."""
        scores, index = jax.lax.top_k(self.scores, width)
        tokens = jnp.take_along_axis(self.tokens, index[:, :, None], axis=1)
        return _Pool(tokens, scores, jnp.take_along_axis(self.lengths, index, axis=1)), index


class _Search(NamedTuple):
    step: Int[Array, ""]
    cache: Cache
    alive: _Pool
    ended: _Pool


@partial(jax.jit, static_argnames=("structure", "width", "slots", "columns"))
def _search(
    structure, weights, prompt: Padded, source: Padded | None, *, limit, alpha, eos_ids, width, slots, columns
) -> tuple[_Pool, Int[Array, "B"]]:
    """The hypotheses, and the prompts' largest positions."""
    model = structure.model(weights)
    size = model.decoder.position.size
    batch = prompt.tokens.shape[0]
    penalty = partial(_penalty, alpha=alpha)
    expand = partial(_expand, limit=limit, eos_ids=eos_ids, penalty=penalty)

    def unfinished(search: _Search) -> Bool[Array, ""]:
        # Probabilities only fall and the penalty only grows: no alive hypothesis can come to score more.
        bound = search.alive.scores.max(axis=1) / penalty(limit)
        return (search.step < limit) & (bound > search.ended.scores.min(axis=1)).any()

    def step(search: _Search) -> _Search:
        alive = search.alive
        token = jax.lax.dynamic_index_in_dim(alive.tokens, search.step - 1, 2, keepdims=False)
        live = jnp.isfinite(alive.scores)
        cache, next_, position = loop.feed(model, search.cache, token.reshape(-1), live.reshape(-1))
        if size is not None:
            kept = position.reshape(batch, width) < size
            alive = dataclasses.replace(alive, scores=jnp.where(kept, alive.scores, -jnp.inf))
        return expand(search._replace(cache=cache, alive=alive), next_.logits.reshape(batch, width, -1))

    cache, (logits, _), largest = loop.read(model, prompt, source, slots)
    empty = _Pool(
        tokens=jnp.zeros((batch, width, columns), jnp.int32),
        scores=jnp.full((batch, width), -jnp.inf, logits.dtype),
        lengths=jnp.zeros((batch, width), jnp.int32),
    )
    one = dataclasses.replace(empty, scores=empty.scores.at[:, 0].set(0.0))
    cache = rows.take(cache, jnp.repeat(jnp.arange(batch), width))
    search = _Search(jnp.int32(0), cache, alive=one, ended=empty)
    search = expand(search, jnp.broadcast_to(logits[:, None], (batch, width, logits.shape[-1])))
    return jax.lax.while_loop(unfinished, step, search).ended, largest


def _penalty(length: Int[Array, "..."], *, alpha: Float[Array, ""]) -> Float[Array, "..."]:
    """Equation 14 of Wu et al. 2016."""
    return ((5.0 + length) / 6.0) ** alpha


def _expand(search: _Search, logits: Float[Array, "B W V"], *, limit, eos_ids, penalty) -> _Search:
    """The search with every alive hypothesis one token longer."""
    alive = search.alive
    batch, width, vocabulary = logits.shape
    totals = alive.scores[:, :, None] + jax.nn.log_softmax(logits, axis=-1)
    # At most `width` of the continuations end with each eos, so one more `width` leaves enough that go on.
    most = min((1 + eos_ids.shape[0]) * width, width * vocabulary)
    scores, index = jax.lax.top_k(totals.reshape(batch, -1), most)
    parent, token = index // vocabulary, index % vocabulary
    tokens = jnp.take_along_axis(alive.tokens, parent[:, :, None], axis=1)
    tokens = jax.lax.dynamic_update_slice_in_dim(tokens, token[:, :, None], search.step, axis=2)
    lengths = jnp.full(scores.shape, search.step + 1, jnp.int32)
    eos = (token[..., None] == eos_ids).any(axis=-1)
    # An eos below the best `width` is no step that the beam would take.
    ends = (eos | (search.step + 1 == limit)) & (jnp.arange(scores.shape[1]) < width)
    new = _Pool(tokens, jnp.where(ends, scores / penalty(lengths), -jnp.inf), lengths)
    pools = jax.tree.map(lambda old, new: jnp.concatenate([old, new], axis=1), search.ended, new)
    ended, _ = pools.best(width)
    alive, chosen = _Pool(tokens, jnp.where(eos, -jnp.inf, scores), lengths).best(width)
    parent = jnp.take_along_axis(parent, chosen, axis=1) + width * jnp.arange(batch)[:, None]
    return _Search(search.step + 1, rows.take(search.cache, parent.reshape(-1)), alive, ended)
