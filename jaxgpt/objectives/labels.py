"""Classification of texts, and of their words (Devlin et al. 2019, arXiv 1810.04805, sections 4.1, 5.3)."""

import dataclasses

import jax.numpy as jnp
import numpy as np

from jaxgpt.data.labelled import reading, second_segments, spaced
from jaxgpt.data.rows import Rows, UnfitExample, check_length, pad
from jaxgpt.models.config import ModelConfig
from jaxgpt.objectives.language_loss import WithLanguageLoss
from jaxgpt.objectives.told import check_label_count
from jaxgpt.task import Example


@dataclasses.dataclass(frozen=True)
class Labels(WithLanguageLoss):
    """The target is a label of the prompt; with `model.labels_from=each` a tag for each of its words.

    Words are what whitespace separates; a word's tag stands at its first token.
    """

    def label_names(self, examples, model):
        if model.labels_from == "each":
            names = {tag for example in examples for tag in example.target.split()}
        else:
            names = {example.target for example in examples}
        return check_label_count(model, tuple(sorted(names)))

    def number_of(self, label: str, example: Example, model: ModelConfig) -> int:
        """The number of a label among those of training.

        Raises:
          UnfitExample: if it is none of them.
        """
        if label not in model.label_names:
            known = ", ".join(model.label_names[:5])
            raise UnfitExample(
                f"the target {label!r} of {example.prompt!r} is no label; known: {known}", example
            )
        return model.label_names.index(label)

    def right(self, example, model):
        """The number of the label, or that of each word's tag."""
        told = [example.target]
        if model.labels_from == "each":
            told, count = example.target.split(), len(example.prompt.split())
            if len(told) != count:
                raise UnfitExample(
                    f"{len(told)} tags for {count} words: {example.prompt!r}; give one a word", example
                )
        return [self.number_of(label, example, model) for label in told]

    def rows(self, examples, tokenizer, model):
        rows, places, labels = [], [], []
        for example in examples:
            labels.append(self.right(example, model))
            pieces = spaced(example.prompt.split()) if model.labels_from == "each" else [example.prompt]
            row, firsts = reading(tokenizer, pieces)
            rows.append(row)
            places.append(firsts)
        check_length(rows, model.max_length, list(examples))
        table, length = pad(rows, tokenizer)
        if model.labels_from == "each":
            array = np.full(table.shape, -1, np.int32)
            for row, (firsts, own) in enumerate(zip(places, labels, strict=True)):
                array[row, firsts] = own
        else:
            array = np.asarray(labels, np.int32)
        segments = second_segments(rows, table.shape[1], tokenizer)
        return Rows(table, np.ones(len(rows), np.int32), length, labels=array, segments=segments)

    def label_losses(self, found, batch, real, loss):
        found = found[:, None] if found.ndim == 2 else found
        return loss(found, jnp.maximum(batch["labels"], 0))

    def readings(self, prompt, tokenizer, model):
        if model.labels_from != "each":
            return super().readings(prompt, tokenizer, model)
        return [reading(tokenizer, spaced(prompt.split()))[0]]

    def answer(self, model, tokenizer, prompt, rows, logits):
        names = model.label_names
        if model.labels_from != "each":
            return names[logits[0].argmax()]
        _, places = reading(tokenizer, spaced(prompt.split()))
        return " ".join(names[logits[0, place].argmax()] for place in places)

    def longest_example(self, model):
        if model.labels_from == "each":
            return super().longest_example(model)
        return "a" * (model.max_length - 2), ("0", "1")
