"""What probes are given: places in texts, the residual there, and the labels of a control task."""

import functools
from collections.abc import Hashable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxgpt.lab.captured import stream
from jaxgpt.lab.subject import Subject
from jaxgpt.models import Transformer
from jaxgpt.models.structure import Structure, Weights, split

#: One label a text, or several kinds of labels by their names.
Labels = Sequence[Hashable] | Mapping[str, Sequence[Hashable]]
#: Places in every text, or by name one place in every text, or each text's own.
Positions = Sequence[int] | Mapping[str, int | Sequence[int]]
#: Tokens that are read together.
_TOKENS = 8192


def numbered(values: Sequence[Hashable]) -> Int[np.ndarray, " N"]:
    """Equal numbers for equal values, from 0 on."""
    known = {value: index for index, value in enumerate(dict.fromkeys(values))}
    return np.asarray([known[value] for value in values])


def places_of(
    subject: Subject, tokens: Sequence[Sequence[int]], positions: Positions | None
) -> tuple[Int[np.ndarray, "N P"], tuple[str, ...]]:
    """Where each text is read, and the names of the places."""
    lengths = np.asarray([len(row) for row in tokens])
    if positions is None:
        positions = range(int(lengths.min()))
    named = positions if isinstance(positions, Mapping) else {f"#{place}": place for place in positions}
    if not named:
        raise ValueError(f"positions={positions!r}: give at least one")
    columns, names = [], []
    for name, place in named.items():
        if np.ndim(place) and len(place) != len(lengths):
            raise ValueError(
                f"position {name}: {len(place)} places for {len(lengths)} texts; give one for each"
            )
        at = np.broadcast_to(np.asarray(place), lengths.shape)
        at = np.where(at < 0, at + lengths, at)
        if ((at < 0) | (at >= lengths)).any():
            raise ValueError(f"position {name} is not in every text; the shortest has {lengths.min()} tokens")
        same = {row[p] for row, p in zip(tokens, at, strict=True)}
        shared = len(same) == 1 and not isinstance(positions, Mapping)
        names.append(subject.shown(list(same))[0] if shared else name)
        columns.append(at)
    return np.stack(columns, axis=1), tuple(names)


def control_labels(
    labels: Int[np.ndarray, " N"], types: Sequence[Hashable] | None, read: Int[np.ndarray, "N P"], seed: int
) -> list[Int[np.ndarray, " N"] | None]:
    """A random label for each type, at each place: P of [N]; None where all texts would get the same.

    Each label is given to about as many texts as have it, so that guessing is worth as much as it is there.

    Args:
      types: of the texts; None: the token that is read.
    """
    rng, count = np.random.default_rng([seed, 1]), len(labels)  # not the order of `Parts`
    columns = read.T.tolist() if types is None else [types]
    found: list[np.ndarray | None] = []
    for column in map(numbered, columns):
        shares = np.bincount(column) / count
        order = rng.permutation(len(shares))
        middles = np.cumsum(shares[order]) - shares[order] / 2
        drawn = np.empty(len(shares), int)
        drawn[order] = np.sort(labels)[(middles * count).astype(int)]
        found.append(drawn[column] if len(set(drawn.tolist())) > 1 else None)
    return found if types is None else found * read.shape[1]


def activations(model: Transformer, pad_id: int, tokens, places) -> list[Float[np.ndarray, "N P D"]]:
    """The residual behind the embedding and each layer, at each text's places. L + 1 arrays"""
    structure, weights = split(model)
    lengths = [len(row) for row in tokens]
    longest, most = max(lengths), min(len(tokens), max(1, _TOKENS // max(lengths)))
    parts = []
    for begin in range(0, len(tokens), most):
        rows = tokens[begin : begin + most]
        filled = np.full((most, longest), pad_id, np.int32)  # one shape, so one program
        order = np.full((most, longest), -1, np.int32)
        at = np.zeros((most, places.shape[1]), np.int32)
        at[: len(rows)] = places[begin : begin + most]
        order[:] = np.arange(longest)
        for i, row in enumerate(rows):
            filled[i, : len(row)] = row
            order[i, len(row) :] = -1
        padded = order if min(lengths) < longest else None
        parts.append([np.asarray(x)[: len(rows)] for x in _read(structure, weights, filled, padded, at)])
    return [np.concatenate(layer) for layer in zip(*parts, strict=True)]


@functools.partial(jax.jit, static_argnames="structure")
def _read(
    structure: Structure,
    weights: Weights,
    tokens: Int[Array, "B T"],
    order: Int[Array, "B T"] | None,
    places: Int[Array, "B P"],
) -> list[Float[Array, "B P _"]]:
    found = stream(structure.model(weights), tokens, order)
    return [jnp.take_along_axis(x, places[..., None], axis=1).astype(jnp.float32) for x in found]
