"""Updates that are left out since their gradient is a spike: the rule, and their count."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

#: Skipped updates in a row, of one replica, that end a run.
MOST_IN_A_ROW = 10


def without_spike(
    old: Any, new: Any, *, norm: Float[Array, ""], loss: Float[Array, ""], largest: float
) -> tuple[Any, Bool[Array, ""]]:
    """The state after an update, or bit for bit the one before it where the update is skipped.

    It is skipped if the global gradient norm, before clipping, is above a fixed threshold, or if the norm or
    the loss is not a finite number: the rules of optax's `skip_large_updates` and `skip_not_finite`. They
    remember nothing, so a run that goes on skips what it would have skipped.

    Returns:
      The state, and whether the update was skipped.
    """
    fits = (norm <= largest) & jnp.isfinite(loss)  # no comparison with NaN is true
    return jax.tree.map(lambda a, b: jnp.where(fits, b, a), old, new), ~fits


class Spikes:
    """How many updates each replica skipped.

    Attributes:
      total: since the run began. [R]
      in_a_row: up to the last step. [R]

    Raises:
      ValueError: if what was noted beside a checkpoint is no such count.
    """

    def __init__(self, seeds: int, noted: dict[str, Any] | None = None):
        self.total = _counts(noted, "total", seeds)
        self.in_a_row = _counts(noted, "in_a_row", seeds)

    def note(self) -> dict[str, Any] | None:
        """JSON values kept beside a checkpoint; None if no update was skipped."""
        if not self.total.any():
            return None
        return {"total": self.total.tolist(), "in_a_row": self.in_a_row.tolist()}

    def count(self, skipped: np.ndarray) -> tuple[np.ndarray, tuple[int, int] | None]:
        """Count the steps of a dispatch.

        Args:
          skipped: which updates were. [C, R]

        Returns:
          The totals after each step, [C, R], and the step and replica where too many in a row were skipped,
          if there is one.
        """
        totals = self.total + np.cumsum(skipped, axis=0, dtype=np.int64)
        stuck = None
        for step, row in enumerate(skipped):
            self.in_a_row = np.where(row, self.in_a_row + 1, 0)
            if stuck is None and (self.in_a_row >= MOST_IN_A_ROW).any():
                stuck = step, int(np.argmax(self.in_a_row))
        self.total = totals[-1]
        return totals, stuck


def _counts(noted: dict[str, Any] | None, name: str, seeds: int) -> np.ndarray:
    found = [0] * seeds if noted is None else noted.get(name) if isinstance(noted, dict) else None
    if not isinstance(found, list) or len(found) != seeds or any(type(n) is not int or n < 0 for n in found):
        raise ValueError(f"the checkpoint's count of skipped updates, {name}, is not one number a seed")
    return np.asarray(found, np.int64)
