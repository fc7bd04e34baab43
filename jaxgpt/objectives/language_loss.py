"""An auxiliary language-model loss (Radford et al. 2018, GPT-1, section 3.2)."""

import abc
import dataclasses
import math
from typing import Annotated

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.base import Batch
from jaxgpt.objectives.losses import Loss, hidden_losses, token_losses
from jaxgpt.objectives.told import Told


@dataclasses.dataclass(frozen=True)
class WithLanguageLoss(Told, abc.ABC):
    """Something is told of a text, and a decoder goes on predicting each token of it: L3 = L2 + weight * L1.

    L1 is the mean over the tokens of a row, as in the program of the authors (finetune-transformer-lm,
    train.py). Every label of an example has that of its rows added, in training and in validation.
    """

    language_loss_weight: Annotated[
        float, "of the loss of each token given those before it, added to that of the labels; 0: none"
    ] = 0.0

    def __post_init__(self):
        if not 0 <= self.language_loss_weight < math.inf:
            raise ValueError(
                f"objective.language_loss_weight={self.language_loss_weight} must be at least 0 and finite"
            )

    @property
    def loss_note(self):
        return ", and so do all tokens of the texts but the first" if self.language_loss_weight else ""

    def check(self, model, task):
        super().check(model, task)
        if not self.language_loss_weight:
            return
        weight = f"objective.language_loss_weight={self.language_loss_weight}"
        if model.kind != "decoder":
            raise ValueError(
                f"{weight} is of a decoder, which predicts the next token, and model.kind={model.kind}; set "
                "it to 0"
            )
        if model.head.weights == "none":
            raise ValueError(f"{weight} needs logits of tokens: set model.head.weights=tied")

    def logits_made(self, tokens):
        return tokens - 1 if self.language_loss_weight else 0

    def losses(self, model, batch, key=None, *, loss=token_losses, most_logits=None):
        """The loss of each label, with `language_loss_weight` times that of the example's tokens. [B, K]"""
        output, real = self.read(model, batch, key)
        found = self.label_losses(self.logits(model, output, real), batch, real, loss)
        if not self.language_loss_weight:
            return found
        rows = row_losses(model, output.hidden, batch["tokens"], real, loss=loss, most_logits=most_logits)
        return found + self.language_loss_weight * self.of_examples(rows, batch)[:, None]

    def of_examples(self, rows: Float[Array, "R"], batch: Batch) -> Float[Array, "B"]:
        """The mean loss of each example's rows."""
        return rows.reshape(len(batch["labels"]), -1).mean(axis=1)


def row_losses(
    model: Transformer,
    hidden: Float[Array, "R T D"],
    tokens: Int[Array, "*B T"],
    real: Bool[Array, "R T"],
    *,
    loss: Loss = token_losses,
    most_logits: int | None = None,
) -> Float[Array, "R"]:
    """The mean loss of each row's tokens but the first, given those before them.

    Args:
      real: which tokens are none of padding.
    """
    targets = tokens.reshape(real.shape)[:, 1:]
    losses = hidden_losses(model, hidden[:, :-1], targets, most_logits=most_logits, loss=loss)
    counted = real[:, 1:]
    return jnp.where(counted, losses, 0.0).sum(axis=1) / jnp.maximum(counted.sum(axis=1), 1)
