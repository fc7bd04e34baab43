"""Attention masks as functions of the tokens' order.

A mask takes the order of the queries [B, T] and of the keys [B, S] and says which query may see which
key. The order counts the real tokens of a sequence from 0 and is -1 on padding, which no query sees.
Training, prefill and decoding with a cache call the same function.
"""

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

Rule = Callable[..., Bool[Array, "B T S"]]


@dataclasses.dataclass(frozen=True)
class Mask:
    """A rule about two orders; `&` and `|` compose masks. Padding keys are hidden by every mask.

    A mask is a static part of a model: equal ones compare equal, so that two models of one configuration are
    compiled once, and one whose rule is a function of a module can be pickled.

    Attributes:
      rule: takes orders of shapes [B, T, 1] and [B, 1, S], then `settings`.
    """

    rule: Rule
    name: str
    settings: tuple = ()

    def sees(self, q: Int[Array, "#B T 1"], k: Int[Array, "#B 1 S"]) -> Bool[Array, "#B T S"]:
        """The rule alone, which may show padding keys."""
        return self.rule(q, k, *self.settings)

    def __call__(self, q_order: Int[Array, "#B T"], k_order: Int[Array, "#B S"]) -> Bool[Array, "#B T S"]:
        q, k = q_order[:, :, None], k_order[:, None, :]
        return self.sees(q, k) & (k >= 0)

    def __and__(self, other: "Mask") -> "Mask":
        return Mask(_both, f"({self.name} & {other.name})", (self, other))

    def __or__(self, other: "Mask") -> "Mask":
        return Mask(_either, f"({self.name} | {other.name})", (self, other))

    def __repr__(self) -> str:
        return self.name


def full() -> Mask:
    """Every query sees every key."""
    return Mask(_full, "full")


def causal() -> Mask:
    """A query sees itself and what comes before it."""
    return Mask(_causal, "causal")


def window(left: int, right: int = 0) -> Mask:
    """A query sees at most `left` keys back, itself included, and `right` keys ahead.

    Raises:
      ValueError: if left < 1 or right < 0.
    """
    if left < 1 or right < 0:
        raise ValueError(f"window(left={left}, right={right}): left must be at least 1 and right at least 0")
    return Mask(_window, f"window({left}, {right})", (left, right))


def prefix(length: int) -> Mask:
    """Every query sees the first `length` keys; `causal() | prefix(n)` is a prefix language model."""
    return Mask(_prefix, f"prefix({length})", (length,))


def chunks(size: int, before: int, after: int = 0) -> Mask:
    """A query sees the keys of its own chunk of `size` and of as many chunks before and behind it."""
    return Mask(_chunks, f"chunks({size}, {before}, {after})", (size, before, after))


def _both(q, k, one, other):
    return one.sees(q, k) & other.sees(q, k)


def _either(q, k, one, other):
    return one.sees(q, k) | other.sees(q, k)


def _full(q, k):
    return jnp.full_like(q, True, dtype=bool) | (k >= 0)


def _causal(q, k):
    return k <= q


def _window(q, k, left, right):
    return (k > q - left) & (k <= q + right)


def _prefix(q, k, length):
    return (k < length) & jnp.full_like(q, True, dtype=bool)


def _chunks(q, k, size, before, after):
    return (k // size >= q // size - before) & (k // size <= q // size + after)
