"""A cache with other rows, or with more slots."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from jaxgpt.nn.attention.cache import Cache, Stored


def take(cache: Cache, rows: Int[Array, "R"]) -> Cache:
    """The cache whose row i is row `rows[i]` of the old one."""

    def gather(tree, axis):
        return jax.tree.map(lambda leaf: jnp.take(leaf, rows, axis=axis), tree)

    def gather_layers(layers):
        return jax.tree.map(
            lambda layer: layer.take(rows) if isinstance(layer, Stored) else gather(layer, 0),
            layers,
            is_leaf=lambda x: isinstance(x, Stored),
        )

    return dataclasses.replace(
        cache,
        layers=gather_layers(cache.layers),
        order=gather(cache.order, 0),
        positions=gather(cache.positions, 0),
        seen=gather(cache.seen, 0),
        carry=gather(cache.carry, 0),
        source=gather_layers(cache.source),
        source_order=gather(cache.source_order, 0),
    )


def grow(cache: Cache, slots: int) -> Cache:
    """The cache with empty slots added, `slots` in all."""
    more = slots - cache.capacity

    def widen(leaf, axis, value=0):
        widths = [(0, more if i == axis else 0) for i in range(leaf.ndim)]
        return jnp.pad(leaf, widths, constant_values=value)

    def widen_layer(layer):
        return layer.grow(more) if isinstance(layer, Stored) else layer  # a recurrent state has no slots

    return dataclasses.replace(
        cache,
        layers=jax.tree.map(widen_layer, cache.layers, is_leaf=lambda x: isinstance(x, Stored)),
        order=widen(cache.order, 1, -1),
        positions=widen(cache.positions, 1),
    )
