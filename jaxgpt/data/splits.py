"""The examples of a run, and the tables that an objective makes of them."""

import contextlib
import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from jaxgpt.data.corpus import open_corpus
from jaxgpt.data.rows import Rows, UnfitExample
from jaxgpt.data.stream import Stream, build_stream, windows
from jaxgpt.models.config import ModelConfig
from jaxgpt.task import Example, Task
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet, Tokenizer


@dataclasses.dataclass(frozen=True)
class Splits:
    """What the tables of a run are made of.

    Attributes:
      task: that the examples are of; it says whether they are a text, and in which files tokens lie.
      train, validation: examples of the two splits.
      tokenizer, model: that read them; the model knows the vocabulary.
      validation_rows: rows of a text that the validation loss is measured on.
      seed: of what is drawn while a table is made.
      multiple: the tokens that are read of a row are padded to a multiple of it.
    """

    task: Task
    train: Sequence[Example]
    validation: Sequence[Example]
    tokenizer: Tokenizer
    model: ModelConfig
    validation_rows: int = 1
    seed: int = 0
    multiple: int = 1


@dataclasses.dataclass(frozen=True)
class Tables:
    """What a run trains on, and the arrays of its validation rows.

    Attributes:
      window: tokens that a window of a text predicts; 0 for rows.
    """

    train: Rows | Stream
    validation: dict[str, np.ndarray]
    window: int = 0


@contextlib.contextmanager
def naming(split: str) -> Iterator[None]:
    """Errors inside name the split, and what reads any text where a tokenizer does not."""
    try:
        yield
    except OutsideAlphabet as error:
        raise ValueError(f"{split} split: {error}; --tokenizer bytes reads any text") from error
    except UnfitExample as error:
        raise UnfitExample(f"{split} split: {error}", error.example) from error
    except ValueError as error:
        raise ValueError(f"{split} split: {error}") from error


def text_tables(splits: Splits) -> Tables:
    """A text, or a corpus whose tokens lie in files, as windows of `max_length` tokens."""
    window, files = splits.model.max_length, splits.task.token_files()
    if files is not None:
        corpus = open_corpus(files)
        held_out = corpus.windows("validation", window)
        chosen = from_all_over(np.arange(held_out.num_examples), splits.validation_rows)
        return Tables(corpus.windows("train", window), held_out.batch(chosen), window)
    with naming("train"):
        table = build_stream(splits.train, splits.tokenizer, window=window)
    with naming("validation"):
        stream = build_stream(splits.validation, splits.tokenizer, window=window).stream
    tokens = from_all_over(windows(stream, window), splits.validation_rows)
    return Tables(table, {"tokens": tokens}, window)


def from_all_over(rows: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of the rows, at equal distances: the beginning of a text may differ from the rest."""
    count = min(count, len(rows))
    return rows[np.arange(count) * len(rows) // max(count, 1)]


def to_multiple(table: Rows, count: int, pad_id: int, *, extra: int, most: int) -> Rows:
    """Rows padded until the tokens that are read are a multiple of `count`, so that these can be spread.

    Args:
      extra: tokens of a row that are only predicted.

    Raises:
      ValueError: if they would be more than `most`.
    """

    def padded(value: np.ndarray | None, fill: int, extra: int) -> np.ndarray | None:
        if value is None:
            return None
        width = math.ceil((value.shape[1] - extra) / count) * count
        if width > most:
            raise ValueError(
                f"rows of {value.shape[1] - extra} tokens, padded to {width} for training.mesh.sequence="
                f"{count}, exceed model.max_length={most}; set it to {width} or more"
            )
        widths = [(0, 0), (0, width + extra - value.shape[1])] + [(0, 0)] * (value.ndim - 2)
        return np.pad(value, widths, constant_values=fill)

    if count == 1:
        return table
    return dataclasses.replace(
        table,
        tokens=padded(table.tokens, pad_id, extra),
        numbers=padded(table.numbers, 0, extra),
        source=padded(table.source, pad_id, 0),
        source_numbers=padded(table.source_numbers, 0, 0),
    )
