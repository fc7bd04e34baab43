"""Policy gradient: a model learns from the rewards of what it wrote, and stays near to where it began."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int

from jaxgpt.models.template import Params, Template
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.search.set_tokens import END

#: The largest norm of a gradient.
_CLIP = 1.0


class PolicyGradient:
    """REINFORCE (Williams 1992) with the mean as baseline, and a price for leaving the reference.

    The reward of a row is its score less `stay` times log p(row) - log p_reference(row), whose mean is the KL
    divergence from the reference (Ziegler et al. 2019, arXiv 1909.08593, equation 2). Tokens that a row
    was given were not chosen, so that its probability is that of the others alone. Rows are used once, in
    batches, in the order in which they were written.
    """

    def __init__(self, template: Template, *, rate: float, stay: float, batch_size: int):
        self._template, self._stay, self._batch = template, stay, batch_size
        self._rule = optax.chain(optax.clip_by_global_norm(_CLIP), optax.adam(rate))

    def after(
        self,
        weights: Params,
        reference: Params,
        rows: Int[np.ndarray, "S L"],
        given: Int[np.ndarray, " S"],
        scores: Float[np.ndarray, " S"],
    ) -> Params:
        """The weights after rows were rewarded, which have their first token and `given` tokens behind it."""
        count = len(rows) // self._batch * self._batch
        batches = jnp.asarray(rows[:count], jnp.int32).reshape(-1, self._batch, rows.shape[1])
        chosen = jnp.arange(rows.shape[1] - 1) >= jnp.asarray(given[:count]).reshape(-1, self._batch, 1)
        rewards = jnp.asarray(scores[:count], jnp.float32).reshape(-1, self._batch)
        return self._passed(weights, reference, (batches, chosen), rewards)

    @partial(jax.jit, static_argnums=0)
    def _passed(
        self, weights: Params, reference: Params, batches: tuple[Array, Array], scores: Float[Array, "N B"]
    ) -> Params:
        far = jax.lax.map(lambda batch: self._logp(weights, *batch) - self._logp(reference, *batch), batches)
        rewards = scores - self._stay * far
        advantage = (rewards - rewards.mean()) / (rewards.std() + 1e-6)

        def loss(weights: Params, batch: tuple[Array, Array], advantage: Array) -> Array:
            return -(advantage * self._logp(weights, *batch)).mean()

        def step(carried: tuple, batch: tuple) -> tuple[tuple, None]:
            weights, state = carried
            updates, state = self._rule.update(jax.grad(loss)(weights, *batch), state)
            return (optax.apply_updates(weights, updates), state), None

        begun = (weights, self._rule.init(weights))
        (weights, _), _ = jax.lax.scan(step, begun, (batches, advantage))
        return weights

    def _logp(
        self, weights: Params, rows: Int[Array, "B L"], chosen: Bool[Array, "B L-1"]
    ) -> Float[Array, " B"]:
        """log p of what each row has from the first chosen token to its end. [B]"""
        model = self._template.model(weights)
        losses = NextToken().losses(model, {"tokens": rows})
        # What follows the end was never chosen.
        ended = jnp.cumsum(rows[:, 1:] == END, axis=1) - (rows[:, 1:] == END)
        return -(losses * (ended == 0) * chosen).sum(1)
