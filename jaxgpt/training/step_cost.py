"""Tokens and operations of a training step, counted from the rows of a prepared experiment."""

import dataclasses
import math

from jaxgpt.data.stream import Stream
from jaxgpt.models.config import ModelConfig
from jaxgpt.training.flops import formula, training_flops
from jaxgpt.training.prepare import Prepared


def example_rows(prepared: Prepared) -> tuple[int, int, int]:
    """Rows that are read of an example, tokens of each, and tokens of its source.

    There are several rows where each choice or order is read apart. Tokens are those that the decoder reads,
    or an encoder that stands alone; a source is read by the encoder beside a decoder. Padding counts, and so
    does what an objective adds to a row before it is read.
    """
    table, objective = prepared.table, prepared.experiment.objective
    rows, length = _rows(prepared)
    tokens = objective.tokens_read(length)
    if isinstance(table, Stream):
        return rows, tokens, 0
    if (own := getattr(table, "source", None)) is not None:
        source = own.shape[1]
    else:  # both stacks read what a label is told of
        source = tokens if prepared.model.kind == "encoder_decoder" else 0
    return rows, tokens, source


def example_tokens(prepared: Prepared) -> int:
    """Tokens that a model reads of an example, in all of its rows and in both stacks."""
    rows, tokens, source = example_rows(prepared)
    return rows * (tokens + source)


def step_flops(prepared: Prepared) -> int:
    """The operations of a step of one seed (`jaxgpt.training.flops`), as its objective computes logits."""
    rows, shapes = _rows(prepared)[0], prepared.program.template.shapes
    one = training_flops(_counted(prepared), shapes, rows=rows, **_read(prepared))
    return one * prepared.experiment.training.batch_size


def flops_formula(prepared: Prepared) -> str:
    """The operations of a training in words, each token with those of its step."""
    return formula(_counted(prepared), prepared.program.template.shapes, **_read(prepared))


def _counted(prepared: Prepared) -> ModelConfig:
    """The model, without a window that is a part of the objective's mask."""
    if not prepared.experiment.objective.own_mask:
        return prepared.model
    return dataclasses.replace(prepared.model, window=None, window_layers=(), window_position=None)


def _read(prepared: Prepared) -> dict[str, int]:
    """What `training_flops` and `formula` ask of an example."""
    objective, (rows, length) = prepared.experiment.objective, _rows(prepared)
    _, tokens, source = example_rows(prepared)
    labels = objective.labels_told(rows, tokens, prepared.model)
    return {"tokens": tokens, "source": source, "logits": objective.logits_made(length), "labels": labels}


def _rows(prepared: Prepared) -> tuple[int, int]:
    """Rows of an example, and tokens of each before an objective adds some."""
    table = prepared.table
    if isinstance(table, Stream):
        return 1, table.window
    *rows, length = table.tokens.shape[1:]
    # The last token of a row is predicted, where each is from those before it.
    return math.prod(rows), length - prepared.experiment.objective.next_token
