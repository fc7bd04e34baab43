"""A text as windows of tokens that a model reads one after the other."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxgpt.lab.subject import Subject
from jaxgpt.models.structure import Structure, Weights, split
from jaxgpt.objectives.losses import token_losses

#: Tokens that are read together.
_TOKENS = 8192


def windows(subject: Subject, text: str) -> np.ndarray:
    """The tokens of a text in windows of what the model reads, and one more to predict. [N, T + 1]

    A window begins with the last token of the one before it, so that each token but the first is predicted
    once. What does not fill a window at the end is left out.

    Raises:
      ValueError: if the tokenizer cannot write the text, or the text does not fill a window.
    """
    length = subject.models[0].config.max_length
    tokens = np.asarray(subject.tokenizer.encode_exactly(text), np.int32)
    count = (len(tokens) - 1) // length
    if count < 1:
        raise ValueError(
            f"the text has {len(tokens)} tokens and a window takes {length + 1}; give a longer one"
        )
    return np.stack([tokens[at : at + length + 1] for at in range(0, count * length, length)])


def over_windows(
    subject: Subject, rows: np.ndarray, measure: Callable[[jax.Array, jax.Array], jax.Array]
) -> np.ndarray:
    """A measure of every window by every model. [R, N, ...]

    Args:
      rows: [N, T + 1]
      measure: of the logits [B, T, V] and the next tokens [B, T]; it is compiled, so give the same function
        again where the same is measured.
    """
    most = max(1, _TOKENS // (rows.shape[1] - 1))
    found = []
    for model in subject.models:
        structure, weights = split(model)
        parts = []
        for begin in range(0, len(rows), most):
            part = rows[begin : begin + most]
            filled = np.zeros((min(most, len(rows)), rows.shape[1]), np.int32)  # one shape, so one program
            filled[: len(part)] = part
            parts.append(np.asarray(_measured(structure, measure, weights, filled), np.float64)[: len(part)])
        found.append(np.concatenate(parts))
    return np.stack(found)


@functools.partial(jax.jit, static_argnames=("structure", "measure"))
def _measured(structure: Structure, measure, weights: Weights, rows):
    logits = structure.model(weights)(rows[:, :-1]).logits
    return measure(logits.astype(jnp.float32), rows[:, 1:])


def nats(logits: jax.Array, targets: jax.Array) -> jax.Array:
    """The loss of each window, summed over its tokens. [B]"""
    return token_losses(logits, targets).sum(axis=-1)


def entropies(logits: jax.Array, targets: jax.Array) -> jax.Array:
    """The entropy of the next token, in bits, averaged over a window. [B]"""
    logs = jax.nn.log_softmax(logits)
    return -(jnp.exp(logs) * logs).sum(axis=-1).mean(axis=-1) / jnp.log(2.0)


def sizes(subject: Subject, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Characters and bytes of each window's predicted text. Both [N]

    A character that two windows share is of the second, which ends it.

    Args:
      rows: windows of one text, in its order.
    """
    counts, before = [], rows[0][:1].tolist()
    for row in rows[:, 1:].tolist():
        # The difference is the window's own text: an undecoded beginning is the same in both.
        shorter, longer = (subject.tokenizer.settled(ids) for ids in (before, before + row))
        counts.append((len(longer) - len(shorter), len(longer.encode()) - len(shorter.encode())))
        before = row
    characters, encoded = np.asarray(counts).T
    return characters, encoded
