"""What objectives share that have an encoder read a text in an order of its own."""

import abc
import dataclasses
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxgpt.data.splits import text_tables
from jaxgpt.models.token_features import Features
from jaxgpt.nn.attention.masks import causal
from jaxgpt.objectives.base import Batch, Objective
from jaxgpt.objectives.losses import check_head, hidden_losses, token_losses
from jaxgpt.objectives.masking import check_mask


@dataclasses.dataclass(frozen=True)
class Ordered(Objective, abc.ABC):
    """Hidden tokens of a text are predicted from what comes before them in an order drawn for each row.

    Order is not position: the model is told where in the text a token stands, and the order says which tokens
    it sees. A member's `draw` gives the batch, of S tokens that are read:

      tokens, order: the tokens and where in the text they stand. [B, S]
      sees: the last rank that each token sees. [B, S]
      seen: the rank of each token for the others; -1: none sees it. [B, S]
      targets, carries: of the last K tokens, what they were, and 1 where that is predicted. [B, K]

    The validation loss measures it: there are no questions to answer.
    """

    asks: ClassVar[bool] = False
    own_mask: ClassVar[bool] = True

    def check(self, model, task):
        kind = type(self).kind()
        if task.layout != "stream" or model.kind != "encoder":
            raise ValueError(f"objective={kind} is for texts, which model.kind=encoder reads")
        if model.sparse is not None:
            sparse = type(model.sparse).kind()
            raise ValueError(f"objective={kind} hides any token from any other: sparse={sparse} cannot")
        check_head(model)

    @abc.abstractmethod
    def draw(self, batch, model, key):
        """The batch as it is read, in an order that is drawn anew each time."""

    def scored_from(self, start):
        return 1

    def tables(self, splits):
        check_mask(splits.model)
        return text_tables(splits)

    def weights(self, batch):
        """1 for every token that is predicted. [B, K]"""
        return batch["carries"]

    def losses(self, model, batch, key=None, *, loss=token_losses, most_logits=None):
        """The loss of the last K tokens, of which `weights` tells the predicted ones. [B, K]"""
        targets = batch["targets"]
        output = model(
            batch["tokens"],
            order=batch["order"],
            features=Features(visible=visible(batch)),
            key=key,
            logits_of="none",
        )
        hidden = output.hidden[:, -targets.shape[1] :]
        return hidden_losses(model, hidden, targets, loss=loss, most_logits=most_logits)


def visible(batch: Batch) -> Bool[Array, "B S S"]:
    """Which tokens each token sees: those up to a rank, and itself."""
    itself = jnp.eye(batch["tokens"].shape[1], dtype=bool)
    return causal()(batch["sees"], batch["seen"]) | itself
