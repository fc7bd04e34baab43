"""The weights that did best on a task's selection questions, for each replica its own."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Params = dict[str, jax.Array]


@dataclasses.dataclass
class Selection:
    """Weights chosen while training goes on, as accuracy beyond the trained lengths comes and goes.

    Attributes:
      params: of all replicas, each from its own step.
      steps: the step each replica's weights are from; 0 where none was looked at yet. [R]
      scores: exact match at that step. [R]
    """

    params: Params
    steps: list[int]
    scores: list[float]

    @classmethod
    def begin(cls, params: Params, seeds: int) -> "Selection":
        """Nothing chosen yet: any score is better."""
        return cls(_copy(params), [0] * seeds, [-1.0] * seeds)

    @classmethod
    def restored(cls, params: Params, noted: dict[str, Any]) -> "Selection":
        """What `note` of a checkpoint recorded.

        Raises:
          ValueError: if it was changed.
        """
        try:
            steps, scores = (
                [kind(v) for v in noted[name]] for kind, name in ((int, "steps"), (float, "scores"))
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError("the checkpoint does not tell which weights were selected, and when") from error
        return cls(params, steps, scores)

    def note(self) -> dict[str, Any]:
        """JSON values kept beside a checkpoint."""
        return {"steps": self.steps, "scores": self.scores}

    def update(self, step: int, params: Params, scores: list[float]) -> None:
        """Take over the weights of those replicas that did at least as well as ever; the later of equals."""
        better = np.asarray(scores) >= np.asarray(self.scores)
        if len(self.steps) == 1:
            self.params = _copy(params) if better[0] else self.params
        else:
            self.params = _merge(jnp.asarray(better), params, self.params)
        for replica in np.flatnonzero(better).tolist():
            self.steps[replica], self.scores[replica] = step, float(scores[replica])


@jax.jit
def _copy(params: Params) -> Params:
    """Arrays of their own, since training donates the originals."""
    return jax.tree.map(jnp.copy, params)


@jax.jit
def _merge(better: jax.Array, new: Params, old: Params) -> Params:
    def pick(a, b):
        return jnp.where(better.reshape(-1, *[1] * (a.ndim - 1)), a, b)

    return jax.tree.map(pick, new, old)
