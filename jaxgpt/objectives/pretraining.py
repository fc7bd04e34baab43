"""BERT's pretraining: hidden tokens, and a label of the pair of texts (arXiv 1810.04805, section 3.1)."""

import dataclasses

import jax.numpy as jnp

from jaxgpt.objectives import masking
from jaxgpt.objectives.labels import Labels
from jaxgpt.objectives.losses import hidden_losses, token_losses
from jaxgpt.objectives.told import longest_pair


@dataclasses.dataclass(frozen=True)
class Pretraining(Labels):
    """An encoder reads one or two texts with 15 % of the tokens hidden, and says these and the label.

    A row's label weighs as much as its hidden tokens together, as where both means are added.
    """

    def check(self, model, task):
        super().check(model, task)
        if model.labels_from == "each":
            raise ValueError("objective=pretraining needs one token: set model.labels_from=first or last")
        if model.kind != "encoder" or model.head.weights == "none":
            raise ValueError(
                "objective=pretraining has hidden tokens: set model.kind=encoder and model.head.weights=tied"
            )

    @property
    def loss_note(self):
        return f", and so do tokens of the texts {masking.hidden_note(masking.SHARE)}"

    def tables(self, splits):
        masking.check_mask(splits.model)
        return super().tables(splits)

    def draw(self, batch, model, key):
        return masking.hide_some(model, batch, key)

    def logits_made(self, tokens):
        return tokens

    def weights(self, batch):
        """[B, T + 1]"""
        hidden, told = batch["carries"], super().weights(batch)
        return jnp.concatenate([hidden, told * hidden.sum(axis=1, keepdims=True)], axis=1)

    def losses(self, model, batch, key=None, *, loss=token_losses, most_logits=None):
        """Of every token, of which `weights` tells the hidden ones, and of the label. [B, T + 1]"""
        output, real = self.read(model, batch, key)
        tokens = hidden_losses(model, output.hidden, batch["targets"], loss=loss, most_logits=most_logits)
        return jnp.concatenate([tokens, self.label_losses(output.labels, batch, real, loss)], axis=1)

    def longest_example(self, model):
        return longest_pair(model)
