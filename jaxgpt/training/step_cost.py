"""Tokens and operations of a training step, counted from the rows of a prepared experiment."""

import math

from jaxgpt.data.stream import Stream
from jaxgpt.training.flops import training_flops
from jaxgpt.training.prepare import Prepared


def row_tokens(prepared: Prepared) -> tuple[int, int]:
    """Tokens of an example that the decoder or a lone encoder reads, and those of its source.

    Padding counts, and what an objective adds to a row before it is read.
    """
    table, objective = prepared.table, prepared.experiment.objective
    if isinstance(table, Stream):
        return objective.tokens_read(table.window), 0
    # Where each token is predicted from those before it, the last one of a row is not read.
    tokens = objective.tokens_read(math.prod(table.tokens.shape[1:]) - objective.next_token)
    if prepared.model.kind != "encoder_decoder":
        return tokens, 0
    # A text without a source of its own is read by both stacks.
    return tokens, tokens if table.source is None else table.source.shape[1]


def step_flops(prepared: Prepared) -> int:
    """The operations of a step of one seed (`jaxgpt.training.flops`); every token counts with its logits."""
    tokens, source = row_tokens(prepared)
    shapes = prepared.program.template.shapes
    one = training_flops(prepared.model, shapes, tokens=tokens, source=source)
    return one * prepared.experiment.training.batch_size
