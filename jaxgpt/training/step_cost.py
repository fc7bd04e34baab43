"""Tokens and operations of a training step, counted from the rows of a prepared experiment."""

import dataclasses
import math

from jaxgpt.data.stream import Stream
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.token_features import first_sees_all
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
    rows, *_ = example_rows(prepared)
    one = training_flops(_counted(prepared), prepared.program.template.shapes, **_read(prepared))
    return one * rows * prepared.experiment.training.batch_size


def flops_formula(prepared: Prepared) -> str:
    """The operations of a training in words, each token with those of its step."""
    return formula(_counted(prepared), prepared.program.template.shapes, **_read(prepared))


def _counted(prepared: Prepared) -> ModelConfig:
    """The model, without a window that is a part of the objective's mask."""
    if not prepared.experiment.objective.own_mask:
        return prepared.model
    return dataclasses.replace(prepared.model, window=None, window_layers=(), window_position=None)


def _read(prepared: Prepared) -> dict[str, int]:
    """What `training_flops` asks of a row."""
    _, tokens, source = example_rows(prepared)
    sees_all = prepared.experiment.objective.reads_labels and first_sees_all(prepared.model)
    return {"tokens": tokens, "source": source, "sees_all": sees_all}
