"""Whether a position scheme has a place for every token of a table.

A scheme with a `size` may count the digits of numbers, so that what it needs is known only from the text;
inside of a compiled step a position beyond its table would silently read another one's vector.
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
    position, size = config.position, config.position.size
    if size is None:
        return
    if isinstance(table, Stream):
        parts = ((position, tokens, length, False) for tokens, length in _of_text(position, table))
    else:
        both = table.source is not None
        # Where each token is predicted from those before it, the last one of a row is not read.
        unread = config.kind != "encoder" and table.labels is None
        tokens = table.tokens.reshape(-1, table.tokens.shape[-1])
        parts = [(position, tokens, table.length.reshape(-1) - unread, both)]
        if both:
            parts.append((position.in_encoder(), table.source, table.source_length, False))
    most = max(
        int(largest_positions(position, tokens, length, answering=answering).max())
        for position, tokens, length, answering in parts
    )
    offset = position.largest_offset if offsets else 0
    if most + offset >= size:
        what = "the longest number" if position.reads_tokens else "the last token of the longest row"
        more = f", and {most + offset} with an offset of {offset} in training" if offset else ""
        raise ValueError(
            f"{what} reaches position {most}{more}, but model.position.{position.size_name}={size}; "
            f"set it to {most + offset + 1} or more"
        )


def _of_text(position: Position, table: Stream) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of a text that decide its largest position, and how many tokens of each are read.

    One window, where they are all alike; else a stream in memory as one row, or of one in files all windows,
    some at a time: of a large corpus it takes a while.
    """
    if position.reads_tokens and not isinstance(table, Windows):
        yield table.stream[None], np.asarray([len(table.stream)])
        return
    count = table.num_examples if position.reads_tokens else 1
    for first in range(0, count, _WINDOWS):
        index = np.arange(first, min(first + _WINDOWS, count))
        yield table.batch(index)["tokens"], np.full(len(index), table.window)


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
