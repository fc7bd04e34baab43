"""The probability that decoders give to texts behind a context, each token from those before it.

What is scored and where it is cut is as in EleutherAI's lm-evaluation-harness 0.4.13: context and text are
encoded together, white space at the end of the context belongs to the text, and a context that is too long
loses its beginning.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxgpt.core.wording import quoted
from jaxgpt.generation.prompts import bucket
from jaxgpt.models.structure import Structure, Weights, split
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.losses import token_losses
from jaxgpt.objectives.written import segmented
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: The most logits of one batch, about 256 MiB, and the most tokens.
_LOGITS, _TOKENS = 2**26, 2**13
#: Widths of rows and of what is scored in them: powers of two from these on, so that little is compiled.
_LEAST_ROW, _LEAST_SCORED = 32, 4

#: Called with how many are scored, and how many there are.
Progress = Callable[[int, int], None]


class Continuation(NamedTuple):
    """Tokens behind others.

    Attributes:
      context: at least one token.
      ids: that are scored; at least one.
    """

    context: tuple[int, ...]
    ids: tuple[int, ...]


class Scored(NamedTuple):
    """What one model says of one continuation.

    Attributes:
      nats: -log p of each token. [K]
      likeliest: whether each token is the likeliest in its place. [K]
      allowed: whether the first token is the likeliest of those that are not banned.
    """

    nats: np.ndarray
    likeliest: np.ndarray
    allowed: bool

    @property
    def log_likelihood(self) -> float:
        """Of the whole continuation."""
        return -float(self.nats.sum())


def check(model: Transformer) -> None:
    """Raises ValueError for a model that gives no probability to the tokens of a text."""
    config = model.config
    if config.kind != "decoder":
        raise ValueError(
            f"model.kind={config.kind}: texts are scored by a decoder, which predicts each token from those "
            "before"
        )
    if config.head.weights == "none":
        raise ValueError("model.head.weights=none has no logits, so no text has a probability")
    if config.number is not None:
        raise ValueError(
            f"model.number={type(config.number).kind()} reads numbers as values, so a text with numbers has "
            "no probability; use a tokenizer of digits or byte pairs"
        )


def encoded(tokenizer: Tokenizer, context: str, text: str) -> Continuation:
    """A text behind a context; without a context it stands behind the token that begins a text.

    Raises:
      ValueError: if the text adds no token to its context, or is outside of the alphabet.
    """
    bare = context.rstrip()
    text, context = context[len(bare) :] + text, bare
    before = tokenizer.encode(context)
    whole = tokenizer.encode(context + text)
    ids = tuple(whole[len(before) :])
    if not ids:
        raise ValueError(f"{quoted(text)} adds no token to what stands before it; another tokenizer may")
    return Continuation(tuple(tokenizer.begun(before)), ids)


def cut(one: Continuation, max_length: int) -> tuple[Continuation, bool]:
    """What a model reads of a continuation, its beginning cut off if need be; whether it was.

    Raises:
      ValueError: if there is no room for the continuation itself.
    """
    if len(one.ids) > max_length:
        raise ValueError(
            f"what is scored has {len(one.ids)} tokens and the model reads {max_length}; shorten it"
        )
    room = max_length + 1 - len(one.ids)
    return Continuation(one.context[-room:], one.ids), len(one.context) > room


def score(
    models: Sequence[Transformer],
    continuations: Sequence[Continuation],
    *,
    banned: Bool[np.ndarray, "V"] | None = None,
    progress: Progress = lambda done, total: None,
) -> list[list[Scored]]:
    """What each model says of each continuation; they fit into the models.

    Args:
      banned: ids that may not be the first, for `Scored.allowed`.
    """
    config = models[0].config
    banned = np.zeros(config.vocab_size, bool) if banned is None else banned
    groups: dict[tuple[int, int], list[int]] = {}
    for index, one in enumerate(continuations):
        width = min(bucket(len(one.context) + len(one.ids) - 1, _LEAST_ROW), config.max_length)
        groups.setdefault((width, min(bucket(len(one.ids), _LEAST_SCORED), width)), []).append(index)
    found: list[list[Scored]] = [[None] * len(continuations) for _ in models]
    done, total = 0, len(models) * len(continuations)
    for (width, scored), indices in groups.items():
        rows = max(1, min(_TOKENS // width, _LOGITS // (scored * config.vocab_size)))
        rows = min(rows, bucket(len(indices), 1))
        for number, model in enumerate(models):
            structure, weights = split(model)
            for first in range(0, len(indices), rows):
                part = indices[first : first + rows]
                arrays = _arrays([continuations[i] for i in part], rows, width, scored)
                with jax.default_matmul_precision("highest"):
                    outcome = _batch(structure, weights, *arrays, banned, scored=scored)
                for row, index in enumerate(part):
                    found[number][index] = _one(outcome, row, len(continuations[index].ids))
                done += len(part)
                progress(done, total)
    return found


def _arrays(part: Sequence[Continuation], rows: int, width: int, scored: int) -> tuple[np.ndarray, ...]:
    """Tokens that are read [B, T], the first place that predicts [B], and what is predicted [B, K]."""
    tokens = np.zeros((rows, width), np.int32)
    first, targets = np.zeros(rows, np.int32), np.zeros((rows, scored), np.int32)
    for row, one in enumerate(part):
        read = (*one.context, *one.ids[:-1])
        tokens[row, : len(read)] = read
        first[row] = len(one.context) - 1
        targets[row, : len(one.ids)] = one.ids
    return tokens, first, targets


def _one(outcome: tuple[Array, ...], row: int, count: int) -> Scored:
    nats, likeliest, allowed = (np.asarray(value)[row] for value in outcome)
    return Scored(nats[:count].astype(np.float64), likeliest[:count], bool(allowed))


@partial(jax.jit, static_argnames=("structure", "scored"))
def _batch(
    structure: Structure,
    weights: Weights,
    tokens: Int[Array, "B T"],
    first: Int[Array, "B"],
    targets: Int[Array, "B K"],
    banned: Bool[Array, "V"],
    *,
    scored: int,
) -> tuple[Float[Array, "B K"], Bool[Array, "B K"], Bool[Array, "B"]]:
    """As `Scored`, of a batch; logits are made in the places that predict alone."""
    model = structure.model(weights)
    if model.config.segment is not None:
        hidden = segmented(model, tokens, None)
    else:
        # Padding stands on the right, where no real token of a causal model sees it.
        hidden = model(tokens, logits_of="none").hidden  # [B, T, D]
    # Places behind a row's last token repeat its end; nobody reads what they predict.
    places = jnp.minimum(first[:, None] + jnp.arange(scored), tokens.shape[1] - 1)
    logits = model.logits(jnp.take_along_axis(hidden, places[..., None], axis=1))  # [B, K, V]
    likeliest = logits.argmax(axis=-1) == targets
    others = jnp.where(banned, -jnp.inf, logits[:, 0])
    return token_losses(logits, targets), likeliest, others.argmax(axis=-1) == targets[:, 0]
