"""Training objectives: a model and a batch give a summed loss and the number of tokens it sums over.

Cross-entropies are computed in float32 or wider.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Literal, Self

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgpt.data.packing import END, PROMPT, TARGET
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Output, Transformer
from jaxgpt.nn.kernels.platform import on_gpu
from jaxgpt.objectives import masking

Batch = dict[str, Array]
Which = Literal["completion", "all", "labels", "span", "choice", "pretraining"]


def token_losses(logits: Float[Array, "*B V"], targets: Int[Array, "*B"]) -> Float[Array, "*B"]:
    """-log p(target), in nats."""
    return _token_losses(logits.astype(jnp.promote_types(logits.dtype, jnp.float32)), targets)


@jax.custom_jvp
def _token_losses(logits, targets):
    picked = jnp.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return _log_sum(logits) - picked


@_token_losses.defjvp
def _token_losses_jvp(primals, tangents):
    """The gradient is p - 1 at the target, p elsewhere; that of a look-up would scatter into all logits."""
    logits, targets = primals
    log_sum = _log_sum(logits)[..., None]
    own = jnp.arange(logits.shape[-1], dtype=targets.dtype) == targets[..., None]
    slope = jnp.exp(logits - log_sum) - own
    return _token_losses(logits, targets), (slope * tangents[0]).sum(axis=-1)


@jax.custom_jvp
def _log_sum(logits):
    """log sum exp over the last dimension; on a GPU by one pass over what it has to read."""
    if not on_gpu():
        return jax.nn.logsumexp(logits, axis=-1)

    def join(one, other):  # a largest number, and the sum of exponentials over its own
        (most, total), (other_most, other_total) = one, other
        less = jnp.exp(-jnp.abs(most - other_most))
        kept, joined = total + other_total * less, total * less + other_total
        return jnp.maximum(most, other_most), jnp.where(most >= other_most, kept, joined)

    least = jnp.array(jnp.finfo(logits.dtype).min, logits.dtype)
    nothing = (least, jnp.zeros((), logits.dtype))
    most, total = jax.lax.reduce((logits, jnp.ones_like(logits)), nothing, join, (logits.ndim - 1,))
    return most + jnp.log(total)


@_log_sum.defjvp
def _log_sum_jvp(primals, tangents):
    log_sum = _log_sum(*primals)
    return log_sum, (jnp.exp(primals[0] - log_sum[..., None]) * tangents[0]).sum(axis=-1)


@dataclasses.dataclass(frozen=True)
class NumberTokenLoss:
    """`weight` times the number token loss (Zausinger et al. 2024, arXiv 2411.02083, section 3).

    With p the softmax over the number tokens alone, whose values are v, a target of value y costs

        mse           (y - sum_i p_i v_i)^2
        wasserstein   sum_i p_i |y - v_i|

    and a target that is no number costs nothing.

    Attributes:
      ids, values: of the tokens that are numbers.
    """

    kind: Literal["mse", "wasserstein"]
    weight: float
    ids: tuple[int, ...]
    values: tuple[float, ...]

    @classmethod
    def of(cls, kind: Literal["mse", "wasserstein"], weight: float, token_texts: Sequence[str]) -> Self:
        """For a tokenizer, by the texts of its ids; a run of ASCII digits is a number.

        Raises:
          ValueError: if fewer than two tokens are numbers.
        """
        found = [(i, float(t)) for i, t in enumerate(token_texts) if t.isascii() and t.isdigit()]
        if len(found) < 2:
            raise ValueError(
                f"training.number_loss={kind} needs tokens that are digits or groups of them, and the "
                "tokenizer has none; use --tokenizer digits, or training.number_loss=none"
            )
        ids, values = zip(*found, strict=True)
        return cls(kind, weight, ids, values)

    def __call__(self, logits: Float[Array, "*B V"], targets: Int[Array, "*B"]) -> Float[Array, "*B"]:
        """What each target adds to its loss."""
        wide = jnp.promote_types(logits.dtype, jnp.float32)
        values = jnp.asarray(self.values, wide)
        p = jax.nn.softmax(logits[..., jnp.asarray(self.ids)].astype(wide), axis=-1)
        table = jnp.zeros(logits.shape[-1], wide).at[jnp.asarray(self.ids)].set(values)
        y = table[targets]
        if self.kind == "mse":
            loss = jnp.square(y - p @ values)
        else:
            loss = (p * jnp.abs(y[..., None] - values)).sum(axis=-1)
        is_number = jnp.isin(targets, jnp.asarray(self.ids))
        return jnp.where(is_number, self.weight * loss, 0.0)


Extra = Callable[[Float[Array, "B S V"], Int[Array, "B S"]], Float[Array, "B S"]]


def hidden_losses(
    model: Transformer,
    hidden: Float[Array, "B S D"],
    targets: Int[Array, "B S"],
    *,
    most_logits: int | None,
    extra: Extra | None = None,
) -> Float[Array, "B S"]:
    """-log p of each target from a model's hidden states, and `extra(logits, targets)` of what is added.

    No more than `most_logits` logits are held at once, where a column of the batch has no more: they are
    computed piece by piece, and again in the backward pass (Wijmans et al. 2024, arXiv 2411.09009, has the
    problem; this is its plain answer). None: all at once.
    """

    def losses(hidden, targets):
        logits = model.logits(hidden)
        found = token_losses(logits, targets)
        return found if extra is None else found + extra(logits, targets)

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


def gather(data: Batch, index: Int[Array, "B"], window: int) -> Batch:
    """The batch of some examples, from the arrays of `Rows`, `Packed` or `Stream`."""
    if "stream" in data:
        tokens = data["stream"][index[:, None] + jnp.arange(window + 1)]
        return {"tokens": tokens.astype(jnp.int32)}
    return widened({name: value[index] for name, value in data.items()})


def widened(batch: Batch) -> Batch:
    """The batch with ids and lengths as int32; features of numbers stay as they are."""
    return {
        name: value if name.endswith("numbers") else value.astype(jnp.int32) for name, value in batch.items()
    }


def hidden(model: ModelConfig, batch: Batch, which: Which, key: jax.Array | None) -> Batch:
    """The batch as a model of this kind learns from it: an encoder's with some tokens hidden."""
    if which == "pretraining":
        return batch | masking.hidden(model, batch, "all", key)
    hides = model.kind == "encoder" and "labels" not in batch
    return masking.hidden(model, batch, which, key) if hides else batch


def weights(batch: Batch, which: Which, end_weight: float = 1.0) -> Float[Array, "B _"]:
    """1 for every predicted token that carries loss, 0 for padding and, by choice, for the prompt.

    Of an encoder's batch it is [B, T], with 1 for every token that was hidden; of one with labels [B, K],
    with 1 for every label; of one with both [B, T + K], where a row's label weighs as much as its hidden
    tokens together.
    `end_weight` is that of the end token of an example; a stream has none.
    """
    if "roles" in batch:
        role, first = batch["roles"], TARGET if which == "completion" else PROMPT
        return jnp.where(role == END, end_weight, ((role >= first) & (role < END)).astype(jnp.float32))
    if "labels" in batch:
        told = (batch["labels"] >= 0).astype(jnp.float32)
        if "carries" not in batch:
            return told
        hidden_tokens = batch["carries"]
        return jnp.concatenate([hidden_tokens, told * hidden_tokens.sum(axis=1, keepdims=True)], axis=1)
    if "carries" in batch:
        return batch["carries"]
    tokens = batch["tokens"]
    if "length" not in batch:
        return jnp.ones((tokens.shape[0], tokens.shape[1] - 1), jnp.float32)
    place = jnp.arange(1, tokens.shape[1])[None]
    first = batch["start"][:, None] if which == "completion" else 1
    last = batch["length"][:, None] - 1
    return jnp.where(place == last, end_weight, ((place >= first) & (place < last)).astype(jnp.float32))


def read_labels(model: Transformer, tokens, order, segments, key: jax.Array | None = None) -> Output:
    """A text as a model with labels reads it; an encoder-decoder reads it in both of its stacks."""
    both = model.config.kind == "encoder_decoder"
    return model(
        tokens,
        order=order,
        source=tokens if both else None,
        source_order=order if both else None,
        segments=segments if model.config.segments else None,
        key=key,
        logits_of="none",
    )


def label_losses(
    model: Transformer,
    batch: Batch,
    which: Which,
    key: jax.Array | None,
    *,
    most_logits: int | None = None,
) -> Float[Array, "B K"]:
    """-log p of each label: of a text, of its tokens, of the places where an answer begins and ends, or of
    the right one of several choices. With `pretraining`, of the hidden tokens and the label, [B, T + 1].
    """
    tokens, length, segments = (batch[name] for name in ("tokens", "length", "segments"))
    if which == "choice":
        tokens, segments = (x.reshape(-1, x.shape[-1]) for x in (tokens, segments))
        length = length.reshape(-1)
    place = jnp.arange(tokens.shape[1])[None]
    real = place < length[:, None]
    output = read_labels(model, tokens, jnp.where(real, place, -1), segments, key)
    found = output.labels
    if which == "span":
        scores = jnp.where(real[..., None], found, -1e30)
        return jnp.stack([token_losses(scores[..., k], batch["labels"][:, k]) for k in (0, 1)], axis=1)
    if which == "choice":
        scores = found.reshape(batch["length"].shape)
        scores = jnp.where(jnp.arange(scores.shape[1]) < batch["choices"][:, None], scores, -1e30)
        return token_losses(scores, batch["labels"][:, 0])[:, None]
    found = found[:, None] if found.ndim == 2 else found
    losses = token_losses(found, jnp.maximum(batch["labels"], 0))
    if which == "pretraining":
        tokens = hidden_losses(model, output.hidden, batch["targets"], most_logits=most_logits)
        losses = jnp.concatenate([tokens, losses], axis=1)
    return losses


def segmented(model: Transformer, tokens: Int[Array, "B T"], key: jax.Array | None) -> Float[Array, "B T D"]:
    """Hidden states of a text read segment by segment; no gradient flows into what is remembered.

    Dai et al. 2019, arXiv 1901.02860, section 3.2.
    """
    cache, parts = model.init_cache(*tokens.shape), []
    for first in range(0, tokens.shape[1], model.config.segment):
        own = None if key is None else jax.random.fold_in(key, first)
        part = tokens[:, first : first + model.config.segment]
        output = model(part, cache=cache, key=own, logits_of="none")
        cache = jax.lax.stop_gradient(output.cache)
        parts.append(output.hidden)
    return jnp.concatenate(parts, axis=1)


def next_token(
    model: Transformer,
    batch: Batch,
    which: Which,
    key: jax.Array | None = None,
    *,
    end_weight: float = 1.0,
    extra: Extra | None = None,
    most_logits: int | None = None,
) -> tuple[Float[Array, "B S"], Float[Array, "B S"]]:
    """Losses and weights of every predicted token; the source, if any, is read by the encoder.

    Of a batch with hidden tokens these are predicted, [B, T] each; of one with labels these, [B, K]. Rows of
    several documents say which token is of which, and what follows each.

    Padding stands on the right, where no real token of a causal model sees it, so `order` is left out
    and masks are shared by all rows. Where a number token is predicted, the loss of the number is added to
    that of the token, and so is `extra(logits, targets)`, which is none of the likelihood. `most_logits` is
    that of `hidden_losses`.
    """
    if "labels" in batch:
        return label_losses(model, batch, which, key, most_logits=most_logits), weights(batch, which)
    by_piece = {"most_logits": most_logits, "extra": extra}
    if "carries" in batch:
        hidden = model(batch["tokens"], order=batch["order"], key=key, logits_of="none").hidden
        return hidden_losses(model, hidden, batch["targets"], **by_piece), batch["carries"]
    tokens, numbers = batch["tokens"], batch.get("numbers")
    targets = batch.get("targets", tokens[:, 1:])
    source = source_order = None
    if "source" in batch:
        source = batch["source"]
        place = jnp.arange(source.shape[1])[None]
        source_order = jnp.where(place < batch["source_length"][:, None], place, -1)
    if model.config.segment is not None:
        hidden = segmented(model, tokens[:, :-1], key)
        return hidden_losses(model, hidden, targets, **by_piece), weights(batch, which, end_weight)
    output = model(
        tokens[:, :-1],
        source=source,
        source_order=source_order,
        numbers=None if numbers is None else numbers[:, :-1],
        source_numbers=batch.get("source_numbers"),
        documents=batch.get("documents"),
        key=key,
        logits_of="none",
    )
    losses = hidden_losses(model, output.hidden, targets, **by_piece)
    if numbers is not None:
        number = model.config.number
        own = number.loss(output.numbers, numbers[:, 1:])
        losses = losses + jnp.where(targets == number.token_id, own, 0.0)
    return losses, weights(batch, which, end_weight)
