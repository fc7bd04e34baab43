"""Attention masks as functions of the tokens' order.

A mask takes the order of the queries [B, T] and of the keys [B, S] and says which query may see which
key. The order counts the real tokens of a sequence from 0 and is -1 on padding, which no query sees.
Training, prefill and decoding with a cache call the same function.
"""

import functools
from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

Rule = Callable[[Int[Array, "B T 1"], Int[Array, "B 1 S"]], Bool[Array, "B T S"]]


class Mask:
    """A rule about two orders; `&` and `|` compose masks. Padding keys are hidden by every mask."""

    def __init__(self, rule: Rule, name: str):
        self._rule = rule
        self.name = name

    def __call__(self, q_order: Int[Array, "#B T"], k_order: Int[Array, "#B S"]) -> Bool[Array, "#B T S"]:
        q, k = q_order[:, :, None], k_order[:, None, :]
        return self._rule(q, k) & (k >= 0)

    def __and__(self, other: "Mask") -> "Mask":
        return _both(self, other)

    def __or__(self, other: "Mask") -> "Mask":
        return _either(self, other)

    def __repr__(self) -> str:
        return self.name


# Cached, so that equal masks are one object: a mask is a static part of a model, and two models of one
# configuration must not be compiled twice.
@functools.cache
def _both(one: Mask, other: Mask) -> Mask:
    return Mask(lambda q, k: one._rule(q, k) & other._rule(q, k), f"({one.name} & {other.name})")


@functools.cache
def _either(one: Mask, other: Mask) -> Mask:
    return Mask(lambda q, k: one._rule(q, k) | other._rule(q, k), f"({one.name} | {other.name})")


@functools.cache
def full() -> Mask:
    """Every query sees every key."""
    return Mask(lambda q, k: jnp.full_like(q, True, dtype=bool) | (k >= 0), "full")


@functools.cache
def causal() -> Mask:
    """A query sees itself and what comes before it."""
    return Mask(lambda q, k: k <= q, "causal")


@functools.cache
def window(left: int, right: int = 0) -> Mask:
    """A query sees at most `left` keys back, itself included, and `right` keys ahead.

    Raises:
      ValueError: if left < 1 or right < 0.
    """
    if left < 1 or right < 0:
        raise ValueError(f"window(left={left}, right={right}): left must be at least 1 and right at least 0")
    return Mask(lambda q, k: (k > q - left) & (k <= q + right), f"window({left}, {right})")


@functools.cache
def prefix(length: int) -> Mask:
    """Every query sees the first `length` keys; `causal() | prefix(n)` is a prefix language model."""
    return Mask(lambda q, k: (k < length) & jnp.full_like(q, True, dtype=bool), f"prefix({length})")


@functools.cache
def chunks(size: int, before: int, after: int = 0) -> Mask:
    """A query sees the keys of its own chunk of `size` and of as many chunks before and behind it."""

    def rule(q, k):
        return (k // size >= q // size - before) & (k // size <= q // size + after)

    return Mask(rule, f"chunks({size}, {before}, {after})")
