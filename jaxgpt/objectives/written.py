"""What objectives share whose answers are written token by token."""

import abc
import dataclasses
import math
from typing import Annotated, ClassVar, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgpt import generation
from jaxgpt.data.packing import END, PROMPT, TARGET
from jaxgpt.models.token_features import Features
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.base import Objective
from jaxgpt.objectives.losses import check_head, hidden_losses, token_losses
from jaxgpt.objectives.number_token_loss import NumberTokenLoss

#: Tokens a completion may have beyond the longest target and its end: another way to write the same text.
_SLACK = 8


@dataclasses.dataclass(frozen=True)
class Written(Objective, abc.ABC):
    """A decoder, or the decoder of an encoder-decoder, predicts each token from those before it."""

    end_weight: Annotated[float, "of a row's end token in the loss; 1: as every other token"] = 1.0
    number_loss: Annotated[
        Literal["none", "mse", "wasserstein"], "number token loss, for tokenizers of digits or digit groups"
    ] = "none"
    number_loss_weight: Annotated[float, "its factor; lambda in arXiv 2411.02083"] = 0.3

    next_token: ClassVar[bool] = True
    keeps: ClassVar[tuple[str, ...]] = ("end_weight", "number_loss", "number_loss_weight")

    def __post_init__(self):
        if not 0 < self.end_weight < math.inf:  # at 0 a model would never learn to stop
            raise ValueError(f"end_weight={self.end_weight} must be positive and finite")
        if not 0 <= self.number_loss_weight < math.inf:
            raise ValueError(f"number_loss_weight={self.number_loss_weight} must be at least 0 and finite")

    @abc.abstractmethod
    def scored_from(self, start):
        """The first token of a row that carries loss, where `start` is the first of its answer."""

    def check(self, model, task):
        if model.kind == "encoder":
            kind = type(self).kind()
            raise ValueError(
                f"objective={kind} writes token by token, and an encoder sees what follows: set "
                "objective=masked, or model.kind=decoder or encoder_decoder"
            )
        check_head(model)

    def training_loss(self, vocabulary):
        if self.number_loss == "none":
            return self.token_loss
        added = NumberTokenLoss.of(self.number_loss, self.number_loss_weight, vocabulary.texts)
        return lambda logits, targets: self.token_loss(logits, targets) + added(logits, targets)

    def weights(self, batch):
        """1 for every predicted token that carries loss, `end_weight` for the end of an answer. [B, T - 1]"""
        if "roles" in batch:
            role = batch["roles"]
            first = PROMPT if self.scored_from(TARGET) < TARGET else TARGET
            return jnp.where(
                role == END, self.end_weight, ((role >= first) & (role < END)).astype(jnp.float32)
            )
        tokens = batch["tokens"]
        if "length" not in batch:
            return jnp.ones((tokens.shape[0], tokens.shape[1] - 1), jnp.float32)
        place = jnp.arange(1, tokens.shape[1])[None]
        first = self.scored_from(batch["start"][:, None])
        last = batch["length"][:, None] - 1
        inside = ((place >= first) & (place < last)).astype(jnp.float32)
        return jnp.where(place == last, self.end_weight, inside)

    def losses(self, model, batch, key=None, *, loss=token_losses, most_logits=None):
        """The loss of every predicted token; the source, if any, is read by the encoder. [B, T - 1]

        Rows of several documents say which token is of which, and what follows each. Padding stands on the
        right, where no real token of a causal model sees it, so `order` is left out and masks are shared by
        all rows. Where a number token is predicted, the loss of the number is added to that of the token.
        """
        tokens, numbers = batch["tokens"], batch.get("numbers")
        targets = batch.get("targets", tokens[:, 1:])
        if model.config.segment is not None:
            hidden = segmented(model, tokens[:, :-1], key)
            return hidden_losses(model, hidden, targets, loss=loss, most_logits=most_logits)
        source = source_order = None
        if "source" in batch:
            source = batch["source"]
            place = jnp.arange(source.shape[1])[None]
            source_order = jnp.where(place < batch["source_length"][:, None], place, -1)
        output = model(
            tokens[:, :-1],
            source=source,
            source_order=source_order,
            features=Features(
                numbers=None if numbers is None else numbers[:, :-1],
                source_numbers=batch.get("source_numbers"),
            ),
            documents=batch.get("documents"),
            key=key,
            logits_of="none",
        )
        found = hidden_losses(model, output.hidden, targets, loss=loss, most_logits=most_logits)
        if numbers is not None:
            number = model.config.number
            own = number.loss(output.numbers, numbers[:, 1:])
            found = found + jnp.where(targets == number.token_id, own, 0.0)
        return found

    def reads(self, example, tokenizer, model):
        # The end token behind the target is predicted and never read.
        prompt, target = tokenizer.encode(example.prompt), tokenizer.encode_exactly(example.target)
        if model.kind != "encoder_decoder":
            return [("decoder", [*tokenizer.begun(prompt), *target])]
        return [("decoder", [*tokenizer.begun([]), *target]), ("encoder", [*prompt, tokenizer.eos_id])]

    def predict(self, model, tokenizer, prompts, asking):
        length = asking.max_new_tokens
        if asking.targets is not None:
            length = max(map(len, tokenizer.encode_batch(list(asking.targets))), default=0) + 1 + _SLACK
        return generation.complete(
            model,
            tokenizer,
            prompts,
            max_new_tokens=model.config.max_length if length is None else length,
            sampling=asking.sampling,
            stop=asking.stop,
            # A wrong answer may never end; it is wrong, and no reason to stop the rest.
            overflow="stop",
            batch_size=asking.batch_size,
            progress=asking.progress,
        )


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
