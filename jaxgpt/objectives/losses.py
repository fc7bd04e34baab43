"""Cross-entropies, in float32 or wider."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.kernels.log_sum import log_sum

#: The loss of each target, of logits [*B, V] and targets [*B].
Loss = Callable[[Float[Array, "*B V"], Int[Array, "*B"]], Float[Array, "*B"]]


def check_head(model: ModelConfig) -> None:
    """Raises ValueError for a model without logits of tokens."""
    if model.head.weights == "none":
        raise ValueError("model.head.weights=none gives no logits to train; set it to tied or separate")


def token_losses(logits: Float[Array, "*B V"], targets: Int[Array, "*B"]) -> Float[Array, "*B"]:
    """-log p(target), in nats."""
    return _token_losses(logits.astype(jnp.promote_types(logits.dtype, jnp.float32)), targets)


@jax.custom_jvp
def _token_losses(logits, targets):
    picked = jnp.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return log_sum(logits) - picked


@_token_losses.defjvp
def _token_losses_jvp(primals, tangents):
    """The gradient is p - 1 at the target, p elsewhere; that of a look-up would scatter into all logits."""
    logits, targets = primals
    whole = log_sum(logits)[..., None]
    own = jnp.arange(logits.shape[-1], dtype=targets.dtype) == targets[..., None]
    slope = jnp.exp(logits - whole) - own
    return _token_losses(logits, targets), (slope * tangents[0]).sum(axis=-1)


def hidden_losses(
    model: Transformer,
    hidden: Float[Array, "B S D"],
    targets: Int[Array, "B S"],
    *,
    most_logits: int | None,
    loss: Loss = token_losses,
) -> Float[Array, "B S"]:
    """The loss of each target from a model's hidden states.

    No more than `most_logits` logits are held at once, where a column of the batch has no more: they are
    computed piece by piece, and again in the backward pass (Wijmans et al. 2024, arXiv 2411.09009, has the
    problem; this is its plain answer). None: all at once.
    """

    def losses(hidden, targets):
        return loss(model.logits(hidden), targets)

    batch, length = targets.shape
    count = batch * length * model.config.vocab_size
    if most_logits is None or count <= most_logits:
        return losses(hidden, targets)
    pieces = next(
        n for n in range(1, length + 1) if length % n == 0 and (count <= n * most_logits or n == length)
    )

    def cut(x):  # every piece takes every n-th token, so that a sequence over several devices stays there
        return jnp.moveaxis(x.reshape(batch, length // pieces, pieces, *x.shape[2:]), 2, 0)

    found = jax.lax.map(lambda piece: jax.checkpoint(losses)(*piece), (cut(hidden), cut(targets)))
    return jnp.moveaxis(found, 0, 2).reshape(batch, length)
