"""Whether a position scheme has a place for every token of a table.

A scheme with a `size` counts the digits of numbers, so what it needs is known only from the text; inside of
a compiled step a position beyond its table would silently read another one's vector.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from jaxgpt.data.corpus import Windows
from jaxgpt.data.rows import Rows, pad
from jaxgpt.data.stream import Stream
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.position import Position
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: Rows whose positions are computed together.
_ROWS = 4096
#: Windows that are read from files together.
_WINDOWS = 2**16


def largest_positions(
    position: Position, tokens: Int[np.ndarray, "N L"], length: Int[np.ndarray, "N"], *, answering: bool
) -> Int[np.ndarray, "N"]:
    """The largest position of each row outside of training; `answering` as in `Position.start`."""

    @jax.jit
    def largest(tokens, order):
        positions, _ = position.assign(tokens, order, position.start(len(tokens), answering=answering), None)
        return jnp.where(order >= 0, positions, 0).max(axis=1)

    place = np.arange(tokens.shape[1])[None]
    size = min(_ROWS, len(tokens))
    found = []
    for first in range(0, len(tokens), size):
        # The last piece reaches back, so that every piece has one shape.
        rows = slice(max(0, min(first, len(tokens) - size)), None)
        part, end = tokens[rows][:size].astype(np.int32), length[rows][:size, None]
        values = np.asarray(largest(part, np.where(place < end, place, -1).astype(np.int32)))
        found.append(values[first - rows.start :])
    return np.concatenate(found)


def largest_in(
    model: Transformer, stack: Literal["encoder", "decoder"], rows: list[list[int]], tokenizer: Tokenizer
) -> Int[np.ndarray, "N"]:
    """The largest position of each row in one of a model's stacks; 0 where the scheme has no `size`."""
    if model.config.position.size is None or not rows:
        return np.zeros(len(rows), int)
    marks = max(model.config.vocab_size - tokenizer.vocab_size, 0)
    tokens, length = pad(rows, tokenizer, more=marks)
    answering = stack == "decoder" and model.config.kind == "encoder_decoder"
    return largest_positions(getattr(model, stack).position, tokens, length, answering=answering)


def check_positions(config: ModelConfig, table: Rows | Stream, *, offsets: bool = True) -> None:
    """Raises ValueError if training on a table can reach a position that the scheme does not hold.

    Without `offsets` the table is only asked about, and no random offset is added.
    """
    size = config.position.size
    if size is None:
        return
    if isinstance(table, Windows):
        parts = _parts(config.position, table)
    elif isinstance(table, Stream):
        whole = np.asarray([len(table.stream)])
        parts = [(config.position, table.stream[None], whole, False)]
    else:
        both = table.source is not None
        # The last token of a row is never read, only predicted.
        tokens = table.tokens.reshape(-1, table.tokens.shape[-1])
        parts = [(config.position, tokens, table.length.reshape(-1) - 1, both)]
        if both:
            parts.append((config.position.in_encoder(), table.source, table.source_length, False))
    most = max(
        int(largest_positions(position, tokens, length, answering=answering).max())
        for position, tokens, length, answering in parts
    )
    offset = config.position.largest_offset if offsets else 0
    if most + offset >= size:
        raise ValueError(
            f"the longest number reaches position {most}, and {most + offset} with an offset of {offset} in "
            f"training, but model.position.max_position={size}; set it to {most + offset + 1} or more"
        )


def _parts(position: Position, table: Windows) -> Iterator[tuple[Position, np.ndarray, np.ndarray, bool]]:
    """All windows in their files, some at a time: of a large corpus it takes a while."""
    for first in range(0, table.num_examples, _WINDOWS):
        index = np.arange(first, min(first + _WINDOWS, table.num_examples))
        yield position, table.batch(index)["tokens"], np.full(len(index), table.window), False


def hidden_marker(position: Position, tokenizer: Tokenizer, prompts: Sequence[str]) -> str:
    """Why a scheme misses the answer's marker; "" if it sees it, or does not look for one."""
    marker = getattr(position, "marker", None)
    if marker is None:
        return ""
    if not any(marker in prompt for prompt in prompts):
        return f"no prompt holds the answer marker {marker!r}; set model.position.marker to what ends them"
    texts = tokenizer.token_texts()
    for prompt in prompts:
        parts = [texts[i] for i in tokenizer.encode(prompt)]
        if parts.count(marker) != prompt.count(marker):
            shown = " ".join(map(repr, parts))
            return f"the tokenizer splits the answer marker {marker!r} or joins it with others, as in {shown}"
    return ""
