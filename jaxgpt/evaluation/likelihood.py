"""Loss and bits per byte of text under models, each token predicted once.

The end token of a row or document is predicted and counts in the loss, as one token whatever `end_weight` it
has in training. Bits per byte leave it out, nats and all: they are comparable between tokenizers and with a
model that predicts no ends.
"""

import math
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxgpt.data.rows import build_rows
from jaxgpt.data.stream import build_stream, windows
from jaxgpt.evaluation.evaluation import Likelihood
from jaxgpt.evaluation.intervals import ratio, scaled
from jaxgpt.evaluation.questions import obstacles
from jaxgpt.models.structure import Structure, Weights, split
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.base import Objective
from jaxgpt.objectives.batches import Batch, widened
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.task import Example
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: The most logits of one batch, about 64 MiB.
_LOGITS = 2**24


def row_likelihoods(
    models: Sequence[Transformer],
    tokenizer: Tokenizer,
    held_out: Sequence[Example],
    training: Sequence[Example],
    *,
    objective: Objective = NextToken(),  # noqa: B008 - frozen
) -> dict[str, Likelihood]:
    """Of examples as rows: `held_out`, and `train` for those training examples that fit into the model.

    Bytes are those of the targets, and of a decoder's prompts where these carried loss, too. Nothing is
    found where numbers have no probability: xVal's squared error is no number of bits.
    """
    config = models[0].config
    if config.number is not None and not config.number.likelihood:
        return {}
    both = config.kind == "encoder_decoder"
    with_prompt = objective.scored_from(2) == 1 and not both
    reasons = obstacles(models[0], tokenizer, training, objective)
    fitting = [example for example, reason in zip(training, reasons, strict=True) if not reason]
    found = {}
    for name, examples in (("held_out", held_out), ("train", fitting)):
        if examples:
            rows = build_rows(examples, tokenizer, encoder_decoder=both, max_length=config.max_length)
            texts = (e.prompt * with_prompt + e.target for e in examples)
            found[name] = _likelihood(models, tokenizer, rows.arrays(), objective, _bytes(texts))
    return found


def text_likelihood(
    models: Sequence[Transformer], tokenizer: Tokenizer, documents: Sequence[str]
) -> Likelihood:
    """Of documents joined by the end token and cut into windows of `max_length`, as in training.

    A token sees what stands before it in its window.

    Raises:
      OutsideAlphabet: a ValueError for text that the tokenizer cannot represent.
    """
    window = models[0].config.max_length
    examples = [Example("", document) for document in documents]
    stream = build_stream(examples, tokenizer, window=1).stream
    predicted = len(stream) - 1
    count = -(-predicted // window)
    padded = np.concatenate([stream, np.full(count * window - predicted, tokenizer.pad_id, stream.dtype)])
    length = np.minimum(predicted - np.arange(count) * window, window) + 1
    data = {
        "tokens": windows(padded, window),
        "start": np.ones(count, np.int32),
        "length": length.astype(np.int32),
    }
    return _likelihood(models, tokenizer, data, NextToken(tokens="all"), _bytes(documents))


def _bytes(texts) -> int:
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


def _likelihood(models, tokenizer, data, objective, num_bytes) -> Likelihood:
    sums = [_row_sums(model, data, objective, tokenizer.eos_id) for model in models]
    nats, text_nats = (np.stack([s[i] for s in sums]) for i in (0, 1))
    tokens, text_tokens = sums[0][2:]
    # Ratios over rows give the interval of one seed; tokens a byte are taken as fixed there.
    per_token = ratio(text_nats, text_tokens)
    per_byte = float(text_tokens.sum()) / max(num_bytes, 1) / math.log(2)
    return Likelihood(ratio(nats, tokens), scaled(per_token, per_byte), int(tokens.sum()), num_bytes)


def _row_sums(
    model: Transformer, data: dict[str, np.ndarray], objective: Objective, eos_id: int
) -> list[np.ndarray]:
    """For each row nats, nats without ends, tokens, and tokens without ends, in float64. [N] each"""
    count, width = data["tokens"].shape
    size = max(1, min(256, count, _LOGITS // (width * model.config.vocab_size)))
    structure, weights = split(model)
    pieces = []
    for first in range(0, count, size):
        # Every batch has one shape: rows of length 0 fill the last one and weigh nothing.
        missing = max(0, first + size - count)
        batch = {
            name: jnp.asarray(
                np.pad(value[first : first + size], [(0, missing)] + [(0, 0)] * (value.ndim - 1))
            )
            for name, value in data.items()
        }
        sums = _batch_sums(structure, weights, batch, eos_id, objective=objective)
        pieces.append([np.asarray(s, np.float64)[: size - missing] for s in sums])
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]


@partial(jax.jit, static_argnames=("structure", "objective"))
def _batch_sums(
    structure: Structure,
    weights: Weights,
    batch: Batch,
    eos_id: Int[Array, ""],
    *,
    objective: Objective,
) -> tuple[Float[Array, "B"], ...]:
    batch = widened(batch)
    losses = objective.losses(structure.model(weights), batch)
    # Every token with a loss counts as one, however much training weighs it.
    counted = (objective.weights(batch) > 0).astype(losses.dtype)
    inside = counted * (batch["tokens"][:, 1:] != eos_id)
    return tuple(value.sum(axis=1) for value in (losses * counted, losses * inside, counted, inside))
