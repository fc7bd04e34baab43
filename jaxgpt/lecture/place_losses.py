"""How well each token of a window is predicted, by how much stands before it."""

import functools
import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from jaxgpt.lab.subject import Subject
from jaxgpt.lab.windows import windows
from jaxgpt.lecture.arm_curves import ArmCurves
from jaxgpt.models.structure import Structure, Weights, split
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.runs.run import Run

#: Windows of held-out text that are read at most, and tokens that are read together.
_WINDOWS, _TOKENS = 512, 8192


def losses_by_place(run: Run) -> np.ndarray:
    """The mean loss of each place of a window over held-out text, in bits a token, of each seed. [R, T]

    A model that is trained in segments reads in segments here, too.

    Raises:
      ValueError: if the held-out text does not fill a window.
    """
    subject = Subject.of(run)
    text = "".join(example.target for example in run.task.examples("test"))
    rows = windows(subject, text)
    rows = rows[np.linspace(0, len(rows) - 1, min(_WINDOWS, len(rows))).astype(int)]
    together = max(1, _TOKENS // rows.shape[1])
    found = []
    for model in subject.models:
        structure, weights = split(model)
        parts = [
            np.asarray(_losses(structure, weights, _filled(rows[at : at + together], together)), np.float64)
            for at in range(0, len(rows), together)
        ]
        found.append(np.concatenate(parts)[: len(rows)].mean(axis=0))
    return np.stack(found) / math.log(2)


def _filled(rows: np.ndarray, count: int) -> np.ndarray:
    """As many rows each time, so that there is one program."""
    return np.concatenate([rows, np.repeat(rows[:1], count - len(rows), axis=0)])


@functools.partial(jax.jit, static_argnames="structure")
def _losses(structure: Structure, weights: Weights, rows: jax.Array) -> jax.Array:
    return NextToken(tokens="all").losses(structure.model(weights), {"tokens": jnp.asarray(rows)})


def context_curves(runs: Mapping[str, Run], token: str, *, most: int = 12) -> ArmCurves:
    """The loss of arms against the tokens that stand before the predicted one, in pieces of equal length.

    An arm that reads shorter windows begins anew at the end of each.

    Args:
      token: what a token is, such as `character`.
      most: pieces.
    """
    found = {name: losses_by_place(run) for name, run in runs.items()}
    longest = max(losses.shape[1] for losses in found.values())
    size = math.ceil(longest / most)
    starts = range(0, longest - size + 1, size)
    values = {}
    for name, losses in found.items():
        again = np.tile(losses, math.ceil(longest / losses.shape[1]))
        pieces = [again[:, start : start + size].mean(axis=1) for start in starts]
        values[name] = tuple(tuple(piece.tolist()) for piece in pieces)
    places = tuple(start + size // 2 for start in starts)
    return ArmCurves(f"place in the text, in {token}s", places, f"bits a {token}", values)
