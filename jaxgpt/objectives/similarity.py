"""Labels of two texts without an order (Radford et al. 2018, GPT-1, section 3.3 and figure 1)."""

import dataclasses

import jax.numpy as jnp

from jaxgpt.data.labelled import reading
from jaxgpt.data.rows import UnfitExample
from jaxgpt.objectives.labels import Labels
from jaxgpt.objectives.told import longest_pair, rows_of_readings


@dataclasses.dataclass(frozen=True)
class Similarity(Labels):
    """A prompt is two texts with a tab between them, and the target says how they stand to each other.

    The model reads `bos one eos other eos` and `bos other eos one eos`. The two hidden states that a label
    would be read from are added, and the second head reads their sum: exchanging the texts changes nothing.
    """

    def check(self, model, task):
        super().check(model, task)
        if model.labels_from == "each":
            raise ValueError("objective=similarity needs one token: set model.labels_from=first or last")

    def right(self, example, model):
        """The number of the label, if there are two texts that it can be of."""
        try:
            _two_texts(example.prompt)
        except ValueError as error:
            raise UnfitExample(str(error), example) from error
        return super().right(example, model)

    def rows(self, examples, tokenizer, model):
        """Rows of [N, 2, L], one an order."""
        return rows_of_readings(self, examples, tokenizer, model)

    def readings(self, prompt, tokenizer, model):
        texts = _two_texts(prompt)
        return [reading(tokenizer, ["\t".join(order)])[0] for order in (texts, texts[::-1])]

    def labels_told(self, rows, tokens, model):
        return rows // 2

    def logits(self, model, output, real):
        """Of the sum over both orders, once for each of them. [2 B, C]"""
        place = jnp.arange(real.shape[1])[None]
        hidden = model.label_state(output.hidden, jnp.where(real, place, -1))
        both = hidden.reshape(-1, 2, hidden.shape[-1]).sum(axis=1)
        return jnp.repeat(model.label_logits(both)[1], 2, axis=0)

    def label_losses(self, found, batch, real, loss):
        return super().label_losses(found[::2], batch, real, loss)

    def longest_example(self, model):
        return longest_pair(model)


def _two_texts(prompt: str) -> list[str]:
    texts = prompt.split("\t")
    if len(texts) != 2:
        raise ValueError(
            f"{prompt!r} has {len(texts)} texts where objective=similarity reads two, with a tab between "
            "them; or set objective=labels"
        )
    return texts
