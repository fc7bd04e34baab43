"""Runs a prepared program without the loop around it."""

import jax
import numpy as np

from jaxgpt.parallel import sharding
from jaxgpt.training.prepare import prepare


class Ready:
    """A compiled program and its first state, to run again and again."""

    def __init__(self, experiment):
        self.prepared = prepare(experiment)
        self.program = self.prepared.program
        self.compiled = self.program.compile(self.prepared.feed.data).compile()
        self.first = jax.tree.map(np.asarray, self.program.init())

    def steps(self, plan, *, state=None):
        """Train `plan` = [steps of a dispatch, ...]: losses [S, R], gradient norms [S, R] and the state."""
        where = jax.tree.map(lambda leaf: leaf.sharding, self.program.abstract())
        # A copy, since the compiled program donates its state.
        state = jax.tree.map(jax.device_put, jax.tree.map(np.copy, state or self.first), where)
        whole = sharding.replicated(self.program.mesh)
        losses, norms, first = [], [], 0
        for count in plan:
            data, indices = self.prepared.feed(first, count)
            scalars = [sharding.put(np.int32(value), whole) for value in (first, count)]
            state, metrics = self.compiled(state, data, indices, *scalars)
            losses.append(np.asarray(metrics["loss"])[:count])
            norms.append(np.asarray(metrics["grad_norm"])[:count])
            first += count
        return np.concatenate(losses), np.concatenate(norms), jax.tree.map(np.array, state)


def steps(experiment, plan):
    """`Ready(experiment).steps(plan)`."""
    return Ready(experiment).steps(plan)


def assert_same_state(one, other):
    """That two states are equal to the last bit."""
    for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=jax.tree_util.keystr(path))
