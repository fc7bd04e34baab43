"""Frozen features: what a trained model makes of each token of some texts, for other models to learn from."""

import functools
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from jaxgpt.core.writing import replacing
from jaxgpt.data.numbers import feature_array
from jaxgpt.data.rows import batch_of
from jaxgpt.generation.prompts import bucket
from jaxgpt.lab.captured import hidden_states
from jaxgpt.lab.layer_choice import LayerChoice
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.structure import Structure, Weights, split
from jaxgpt.models.transformer import Transformer
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: Tokens that are read together, and features of a batch, at most.
_TOKENS, _FEATURES = 8192, 2**26
#: How the names of files of features end.
ENDINGS = (".npz", ".safetensors")


class TextFeatures(NamedTuple):
    """Features of the tokens of N texts, text after text, R tokens in all.

    Attributes:
      features: of each token. [R, D]
      ids: of the tokens. [R]
      lengths: tokens of each text. [N]
    """

    features: Float[np.ndarray, "R D"]
    ids: Int[np.ndarray, " R"]
    lengths: Int[np.ndarray, " N"]

    def texts(self) -> list[Float[np.ndarray, "T D"]]:
        """The features of each text."""
        return np.split(self.features, np.cumsum(self.lengths)[:-1])


def text_features(
    source: Source | Subject,
    texts: Sequence[str],
    layers: str = "last",
    *,
    names: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> TextFeatures:
    """The features that a model, the first of a source, makes of each token of some texts.

    Texts are read as in training: by a decoder behind the tokens that begin a prompt, by an encoder between
    the begin and the end token, by an encoder-decoder's encoder with the end token behind. These tokens have
    features, too.

    Args:
      source: a run, its directory, or a model with its tokenizer.
      layers: as `LayerChoice` names them.
      names: what messages call the texts, such as `line 3`.
      progress: called with (tokens done, all tokens).

    Raises:
      ValueError: without texts; for a text that is longer than the model reads, or that the tokenizer cannot
        write, with its name; for layers that the model has not; for features that do not fit into memory.
    """
    subject = Subject.of(source)
    model = subject.models[0]
    rows = rows_of(model.config, subject.tokenizer, texts, names)
    choice = LayerChoice.of(layers, count_layers(model))
    found = row_features(model, rows, choice, progress)
    lengths = np.asarray([len(row) for row in rows])
    return TextFeatures(found, np.fromiter(itertools.chain.from_iterable(rows), np.int32), lengths)


def row_features(
    model: Transformer,
    rows: Sequence[Sequence[int]],
    choice: LayerChoice,
    progress: Callable[[int, int], None] | None = None,
) -> Float[np.ndarray, "R D"]:
    """The features of the tokens of some rows of ids, row after row.

    Raises:
      ValueError: if they do not fit into memory.
    """
    lengths = np.asarray([len(row) for row in rows])
    starts = np.cumsum(lengths) - lengths
    structure, weights = split(model)
    width = jax.eval_shape(
        functools.partial(_read, structure, choice), weights, *_filled(model.config, rows[:1], (1, 1))
    ).shape[-1]
    try:
        found = np.empty((int(lengths.sum()), width), np.float32)
    except MemoryError as error:
        size = 4 * width * int(lengths.sum()) / 2**30
        raise ValueError(f"the features take {size:,.1f} GiB; give fewer texts or fewer layers") from error
    done = 0
    for part, shape in _batches(lengths, model.config.max_length, width):
        given = _filled(model.config, [rows[i] for i in part], shape)
        read = np.asarray(_read(structure, choice, weights, *given))
        for i, row in zip(part, read[: len(part)], strict=True):
            found[starts[i] : starts[i] + lengths[i]] = row[: lengths[i]]
        done += int(lengths[part].sum())
        if progress is not None:
            progress(done, len(found))
    return found


def rows_of(
    config: ModelConfig, tokenizer: Tokenizer, texts: Sequence[str], names: Sequence[str] | None = None
) -> list[list[int]]:
    """The ids that a model reads of each text. Arguments and errors as of `text_features`."""
    if not texts:
        raise ValueError("there are no texts; give at least one")
    rows = []
    for index, text in enumerate(texts):
        name = f"text {index + 1}" if names is None else names[index]
        try:
            row = whole(config, tokenizer, tokenizer.encode(text))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        if len(row) > config.max_length:
            raise ValueError(
                f"{name} has {len(row)} tokens and the model reads {config.max_length}; cut it in two"
            )
        rows.append(row)
    return rows


def whole(config: ModelConfig, tokenizer: Tokenizer, ids: Sequence[int]) -> list[int]:
    """A text's ids with what stands around them where a model of this kind reads it."""
    if config.kind == "decoder":
        return tokenizer.begun(ids)
    if config.kind == "encoder":
        return [tokenizer.bos_id, *ids, tokenizer.eos_id]
    return [*getattr(tokenizer, "template", ()), *ids, tokenizer.eos_id]


def count_layers(model: Transformer) -> int:
    """The blocks that a text goes through one after the other; a block that is looped counts each time."""
    structure, weights = split(model)
    given = _filled(model.config, [[]], (1, 1))
    states = jax.eval_shape(functools.partial(_states, structure), weights, *given)
    return len(states) - 1


def _batches(lengths: np.ndarray, most: int, width: int):
    """Which texts are read together, and the rows and columns of the batch: few shapes, so few programs."""
    tokens = min(_TOKENS, max(1, _FEATURES // width))
    columns = np.asarray([min(bucket(int(length)), most) for length in lengths])
    for length in np.unique(columns):
        own = np.flatnonzero(columns == length)
        rows = min(bucket(len(own), least=1), max(1, tokens // int(length)))
        for begin in range(0, len(own), rows):
            yield own[begin : begin + rows], (rows, int(length))


def _filled(config: ModelConfig, rows: Sequence[Sequence[int]], shape: tuple[int, int]):
    """Tokens, their order and the features of numbers as arrays; rows behind the last repeat the first."""
    rows = [list(row[: shape[1]]) or [0] for row in rows]
    rows += rows[:1] * (shape[0] - len(rows))
    tokens, order = batch_of(rows, shape, 0)
    if config.number is None:
        return tokens, order, None
    numbers = np.zeros((*shape, config.number.size), config.number.dtype)
    ids = itertools.chain.from_iterable(rows)
    is_number = (tokens == config.number.token_id) & (order >= 0)
    numbers[is_number] = feature_array(ids, config.number.size, config.number.dtype)
    return tokens, order, numbers


def _states(structure: Structure, weights: Weights, tokens, order, numbers):
    return hidden_states(structure.model(weights), tokens, order, numbers)


@functools.partial(jax.jit, static_argnames=("structure", "choice"))
def _read(structure: Structure, choice: LayerChoice, weights: Weights, tokens, order, numbers):
    return choice.joins(_states(structure, weights, tokens, order, numbers))


def write(path: Path, found: TextFeatures, about: dict[str, str], **more: np.ndarray) -> None:
    """Write features as an .npz or a safetensors file, whole or not at all.

    The file has the arrays `features`, `ids` and `lengths`. What is told about them is metadata of a
    safetensors file; in an .npz each is an array of one text.

    Args:
      more: further arrays by name, such as the line of each text.

    Raises:
      ValueError: for a name with another ending.
      OSError: if it cannot be written; an old file stays.
    """
    arrays = found._asdict() | more
    check_ending(path)
    with replacing(path) as temporary:
        if path.suffix == ".npz":
            with open(temporary, "wb") as file:
                np.savez(file, **arrays, **{name: np.asarray(text) for name, text in about.items()})
        else:
            _save(temporary, arrays, about)


def _save(path: Path, arrays: dict[str, np.ndarray], about: dict[str, str]) -> None:
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(arrays, path, metadata=about)
    except SafetensorError as error:
        raise OSError(str(error)) from error


def check_ending(path: Path) -> None:
    """Raises ValueError for a name that ends otherwise than files of features do."""
    if path.suffix not in ENDINGS:
        raise ValueError(f"{path}: the name must end in {' or '.join(ENDINGS)}")
