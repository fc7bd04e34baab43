"""Classification of texts, and of their words (Devlin et al. 2019, arXiv 1810.04805, sections 4.1, 5.3)."""

import dataclasses

import jax.numpy as jnp
import numpy as np

from jaxgpt.data.labelled import reading, second_segments, spaced
from jaxgpt.data.rows import Rows, check_length, pad
from jaxgpt.objectives.told import Told, check_label_count


@dataclasses.dataclass(frozen=True)
class Labels(Told):
    """The target is a label of the prompt; with `model.labels_from=each` a tag for each of its words.

    Words are what whitespace separates; a word's tag stands at its first token.
    """

    def label_names(self, examples, model):
        if model.labels_from == "each":
            names = {tag for example in examples for tag in example.target.split()}
        else:
            names = {example.target for example in examples}
        return check_label_count(model, tuple(sorted(names)))

    def rows(self, examples, tokenizer, model):
        number = {name: index for index, name in enumerate(model.label_names)}
        rows, places, labels = [], [], []
        for example in examples:
            pieces, told = [example.prompt], [example.target]
            if model.labels_from == "each":
                pieces, told = spaced(example.prompt.split()), example.target.split()
                if len(pieces) != len(told):
                    raise ValueError(
                        f"{len(told)} tags for {len(pieces)} words: {example.prompt!r}; give one a word"
                    )
            row, firsts = reading(tokenizer, pieces)
            for label in told:
                if label not in number:
                    known = ", ".join(model.label_names[:5])
                    raise ValueError(
                        f"the target {label!r} of {example.prompt!r} is no label; known: {known}"
                    )
            rows.append(row)
            places.append(firsts)
            labels.append([number[label] for label in told])
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
