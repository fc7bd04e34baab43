"""A model in two parts: its structure, which a program is compiled for, and the weights it is called with.

They are those of `nnx.split`, which takes as long as some tokens of a small model. So what a model was found
to consist of is remembered, and split anew only if any part of it has been put in place of another.
"""

import operator
import weakref
from typing import Any

import jax
from flax import nnx
from jaxtyping import Array

Weights = tuple[Array, ...]


class Structure:
    """All of a model but its weights; equal where models differ in these alone.

    Attributes:
      paths: where each weight stands in the model, in their order.
    """

    def __init__(self, model: nnx.Module):
        graph, state = nnx.split(model)
        self.paths = tuple(path for path, _ in nnx.to_flat_state(state))
        self._parts = (graph, jax.tree.structure(state))
        self._hash = hash(self._parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Structure) and self._hash == other._hash and self._parts == other._parts

    def model(self, weights: Weights) -> nnx.Module:
        """The model with these weights."""
        graph, tree = self._parts
        return nnx.merge(graph, jax.tree.unflatten(tree, weights))


class _Known:
    """A model as it was; its parts are kept alive, so that no other object takes the place of one unseen."""

    def __init__(self, model: nnx.Module, parts: list[Any]):
        self.parts = parts
        self.structure = Structure(model)
        self.variables = [_at(model, path) for path in self.structure.paths]


_known: "weakref.WeakKeyDictionary[nnx.Module, _Known]" = weakref.WeakKeyDictionary()


def split(model: nnx.Module) -> tuple[Structure, Weights]:
    """The structure, and the weights as they are now."""
    parts: list[Any] = []
    _collect(model, parts)
    known = _known.get(model)
    if known is None or len(parts) != len(known.parts) or not all(map(operator.is_, parts, known.parts)):
        known = _known[model] = _Known(model, parts)
    return known.structure, tuple(variable[...] for variable in known.variables)


def _collect(node: nnx.Pytree, parts: list[Any]) -> None:
    for value in vars(node).values():
        parts.append(value)
        if isinstance(value, nnx.Pytree):
            _collect(value, parts)


def _at(node: Any, path: tuple[str | int, ...]) -> nnx.Variable:
    for name in path:
        node = node[name] if isinstance(name, int) else getattr(node, name)
    return node
