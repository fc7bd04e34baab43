"""Multiple choice (Devlin et al. 2019, arXiv 1810.04805, section 4.4; SWAG)."""

import dataclasses

import jax.numpy as jnp

from jaxgpt.data.labelled import CHOICE, reading
from jaxgpt.data.rows import UnfitExample
from jaxgpt.objectives.language_loss import WithLanguageLoss
from jaxgpt.objectives.told import check_label_count, rows_of_readings


@dataclasses.dataclass(frozen=True)
class MultipleChoice(WithLanguageLoss):
    """A prompt is a question and its choices, with tabs between them; the target is one of the choices.

    The model reads `bos question eos choice eos` for each choice and gives each reading one score.
    """

    def check(self, model, task):
        super().check(model, task)
        if model.labels_from == "each":
            raise ValueError("objective=multiple_choice needs one token: set model.labels_from=first or last")

    def label_names(self, examples, model):
        return check_label_count(model, CHOICE)

    def right(self, example, model):
        """The place of the right choice among those of its question."""
        _, *choices = example.prompt.split("\t")
        count = choices.count(example.target)
        if len(choices) > 1 and count == 1:
            return [choices.index(example.target)]
        stands = {0: "is not one of", 1: "is the only one of"}.get(count, f"stands {count} times among")
        raise UnfitExample(
            f"the target {example.target!r} {stands} the choices of {example.prompt!r}; a prompt is a "
            "question and two or more different choices, with tabs between them",
            example,
        )

    def rows(self, examples, tokenizer, model):
        """Rows of [N, C, L], one a choice."""
        return rows_of_readings(self, examples, tokenizer, model)

    def label_losses(self, found, batch, real, loss):
        """Of the right choice among those of its question. [B, 1]"""
        scores = found.reshape(batch["length"].shape)
        scores = jnp.where(jnp.arange(scores.shape[1]) < batch["choices"][:, None], scores, -1e30)
        return loss(scores, batch["labels"][:, 0])[:, None]

    def of_examples(self, rows, batch):
        """The mean over an example's choices, without those that stand in."""
        rows = rows.reshape(batch["length"].shape)
        own = jnp.arange(rows.shape[1]) < batch["choices"][:, None]
        return jnp.where(own, rows, 0.0).sum(axis=1) / batch["choices"]

    def readings(self, prompt, tokenizer, model):
        question, *choices = prompt.split("\t")
        if not choices:
            raise ValueError(f"{prompt!r} has no choices; put a tab before each of them")
        return [reading(tokenizer, [f"{question}\t{choice}"])[0] for choice in choices]

    def answer(self, model, tokenizer, prompt, rows, logits):
        return prompt.split("\t")[1 + logits[:, 0].argmax()]
