"""Tokens and operations of a training step, counted from the rows of a prepared experiment."""

import math

from jaxgpt.data.stream import Stream
from jaxgpt.training.flops import formula, training_flops
from jaxgpt.training.prepare import Prepared


def example_rows(prepared: Prepared) -> tuple[int, int, int]:
    """Rows that are read of an example, tokens of each, and tokens of its source.

    There are several rows where each choice or order is read apart. Tokens are those that the decoder reads,
    or an encoder that stands alone; a source is read by the encoder beside a decoder. Padding counts, and so
    does what an objective adds to a row before it is read.
    """
    table, objective = prepared.table, prepared.experiment.objective
    if isinstance(table, Stream):
        return 1, objective.tokens_read(table.window), 0
    *rows, length = table.tokens.shape[1:]
    # The last token of a row is predicted, where each is from those before it.
    tokens = objective.tokens_read(length - objective.next_token)
    if (own := getattr(table, "source", None)) is not None:
        source = own.shape[1]
    else:  # both stacks read what a label is told of
        source = tokens if prepared.model.kind == "encoder_decoder" else 0
    return math.prod(rows), tokens, source


def example_tokens(prepared: Prepared) -> int:
    """Tokens that a model reads of an example, in all of its rows and in both stacks."""
    rows, tokens, source = example_rows(prepared)
    return rows * (tokens + source)


def step_flops(prepared: Prepared) -> int:
    """The operations of a step of one seed (`jaxgpt.training.flops`); every token counts with its logits."""
    rows, tokens, source = example_rows(prepared)
    shapes = prepared.program.template.shapes
    one = training_flops(prepared.model, shapes, tokens=tokens, source=source)
    return one * rows * prepared.experiment.training.batch_size


def flops_formula(prepared: Prepared) -> str:
    """The operations of a training in words, each token with those of its step."""
    _, tokens, source = example_rows(prepared)
    return formula(prepared.model, prepared.program.template.shapes, tokens=tokens, source=source)
