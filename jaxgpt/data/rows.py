"""Examples as one padded integer table: a row is `bos prompt target eos`."""

import dataclasses
import itertools
from collections.abc import Iterable, Sized

import numpy as np

from jaxgpt.data.numbers import feature_array, with_features
from jaxgpt.task import Example
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: Examples whose ids are held as lists at one time.
_ENCODED_TOGETHER = 65_536


@dataclasses.dataclass(frozen=True)
class Rows:
    """Padded token rows.

    Attributes:
      tokens: of the decoder (or encoder) stack, padded on the right. [N, L]
      start: index of the first token that belongs to the target. [N]
      length: real tokens. [N]
      source: tokens of the encoder in an encoder-decoder, `prompt eos`. [N, Z]
      source_length: real source tokens. [N]
      numbers: features of the number tokens among `tokens`, where the tokenizer has such. [N, L, F]
      source_numbers: the same for `source`. [N, Z, F]
      number_id: of those tokens.
      labels: what is told of a row, or of its tokens (`jaxgpt.data.labelled`). [N, K]
      segments: the text of a row that each token is in. [N, L]
      choices: of a table of choices how many each example has. Its tokens and segments are [N, C, L], its
        lengths [N, C]. [N]
    """

    tokens: np.ndarray
    start: np.ndarray
    length: np.ndarray
    source: np.ndarray | None = None
    source_length: np.ndarray | None = None
    numbers: np.ndarray | None = None
    source_numbers: np.ndarray | None = None
    number_id: int | None = None
    labels: np.ndarray | None = None
    segments: np.ndarray | None = None
    choices: np.ndarray | None = None

    @property
    def num_examples(self) -> int:
        return len(self.tokens)

    def ids(self, row: int) -> list[int]:
        """A row as `encode` gave it, with its special ids; of choices, one behind the other."""
        if self.choices is not None:
            pairs = zip(self.tokens[row], self.length[row], strict=True)
            return np.concatenate([ids[:end] for ids, end in pairs]).tolist()
        end = self.length[row]
        numbers = None if self.numbers is None else self.numbers[row, :end]
        return with_features(self.tokens[row, :end], numbers, self.number_id)

    def source_ids(self, row: int) -> list[int]:
        """The same for the encoder's tokens."""
        end = self.source_length[row]
        numbers = None if self.source_numbers is None else self.source_numbers[row, :end]
        return with_features(self.source[row, :end], numbers, self.number_id)

    def arrays(self) -> dict[str, np.ndarray]:
        """The table as a dictionary, for the device."""
        named = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: value for name, value in named.items() if isinstance(value, np.ndarray)}

    def batch(self, index: np.ndarray) -> dict[str, np.ndarray]:
        """The rows of some examples."""
        return {name: value[index] for name, value in self.arrays().items()}


def build_rows(
    examples: Iterable[Example], tokenizer: Tokenizer, *, encoder_decoder: bool, max_length: int
) -> Rows:
    """The table of some examples.

    A decoder reads `bos prompt target eos`, whose beginning is `Tokenizer.begun`'s. In an encoder-decoder
    the encoder reads `prompt eos` and the decoder `bos target eos`. Prompt and target are encoded apart, so
    no token spans their border.

    Raises:
      ValueError: if there are no examples, one is longer than `max_length`, or the text of one lies
        outside the tokenizer's alphabet.
    """
    # The last token of a row is never read, only predicted.
    rows, sources = _Ragged(tokenizer, max_length + 1), _Ragged(tokenizer, max_length)
    start: list[np.ndarray] = []
    eos, rest = [tokenizer.eos_id], iter(examples)
    while part := list(itertools.islice(rest, _ENCODED_TOGETHER)):
        prompts = tokenizer.encode_batch([e.prompt for e in part])
        written = [e.target for e in part]
        targets = (
            [*map(tokenizer.encode_exactly, written)] if tokenizer.lossy else tokenizer.encode_batch(written)
        )
        if encoder_decoder:
            sources.add([p + eos for p in prompts], part)
            prompts = [[]] * len(prompts)
        prompts = [*map(tokenizer.begun, prompts)]
        rows.add([p + t + eos for p, t in zip(prompts, targets, strict=True)], part)
        start.append(np.fromiter(map(len, prompts), np.int32, len(prompts)))
    check_some(start)
    tokens, length, numbers = rows.padded()
    source, source_length, source_numbers = sources.padded() if encoder_decoder else (None, None, None)
    return Rows(
        tokens,
        np.concatenate(start),
        length,
        source,
        source_length,
        numbers=numbers,
        source_numbers=source_numbers,
        number_id=tokenizer.number_id,
    )


class _Ragged:
    """Rows of different lengths, gathered part by part: as lists of ids all of them would take gigabytes."""

    def __init__(self, tokenizer: Tokenizer, limit: int):
        self._tokenizer, self._limit = tokenizer, limit
        self._parts: list[tuple[np.ndarray, np.ndarray]] = []
        self._features: list[np.ndarray] = []
        self._longest: tuple[list[list[int]], list[Example]] = ([[]], [])

    def add(self, rows: list[list[int]], examples: list[Example]) -> None:
        """The rows of some more examples, one each.

        Raises:
          ValueError: for an id outside the vocabulary.
        """
        self._parts.append(pad(rows, self._tokenizer))
        if self._tokenizer.number_id is not None:
            size, dtype = self._tokenizer.number_features, self._tokenizer.feature_type
            self._features.append(feature_array(itertools.chain.from_iterable(rows), size, dtype))
        longest = max(range(len(rows)), key=lambda row: len(rows[row]))
        if len(rows[longest]) > len(self._longest[0][0]):
            self._longest = [rows[longest]], [examples[longest]]

    def padded(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """All rows and their lengths, as `pad` has them, and the features of their number tokens, if any.

        The parts are given up one by one, so that no more than one of them is held twice.

        Raises:
          ValueError: if a row is longer than the limit.
        """
        check_length(self._longest[0], self._limit, self._longest[1])
        length = np.concatenate([length for _, length in self._parts])
        table = np.empty((len(length), int(length.max())), self._parts[0][0].dtype)
        self._parts.reverse()
        row = 0
        while self._parts:
            part, _ = self._parts.pop()
            table[row : row + len(part), : part.shape[1]] = part
            table[row : row + len(part), part.shape[1] :] = self._tokenizer.pad_id
            row += len(part)
        if self._tokenizer.number_id is None:
            return table, length, None
        numbers = np.zeros((*table.shape, self._tokenizer.number_features), self._tokenizer.feature_type)
        numbers[table == self._tokenizer.number_id] = np.concatenate(self._features)
        return table, length, numbers


def check_some(examples: Sized) -> None:
    """Raises ValueError if a split has no examples."""
    if not len(examples):
        raise ValueError("the task gives no examples for this split; change task.held_out or its settings")


class UnfitExample(ValueError):
    """An example that the model cannot learn or answer, such as one with more tokens than it reads."""

    def __init__(self, message: str, example: Example):
        self.example = example
        super().__init__(message)


def check_length(rows: list[list[int]], limit: int, examples: list[Example]) -> None:
    """Raises UnfitExample, with the longest example, if a row has more than `limit` tokens."""
    longest = max(range(len(rows)), key=lambda i: len(rows[i]))
    if len(rows[longest]) > limit:
        text = examples[longest].prompt + examples[longest].target
        shown = text if len(text) <= 60 else text[:57] + "..."
        raise UnfitExample(
            f"an example has {len(rows[longest])} tokens, more than model.max_length allows "
            f"({limit}): {shown!r}; raise model.max_length",
            examples[longest],
        )


def pad(rows: list[list[int]], tokenizer: Tokenizer, *, more: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows padded on the right to one length, in the narrowest integer type, and their lengths.

    `more` ids stand behind the tokenizer's.
    """
    length = np.asarray([len(row) for row in rows], np.int32)
    size = tokenizer.vocab_size + more
    table = np.full((len(rows), int(length.max())), tokenizer.pad_id, narrowest(size))
    flat = np.fromiter(itertools.chain.from_iterable(rows), np.int64, int(length.sum()))
    check_ids(flat, size)
    table[np.arange(table.shape[1]) < length[:, None]] = flat
    return table, length


def batch_of(rows: list[list[int]], shape: tuple[int, int], pad_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows as the tokens and the order of one batch, padded on the right and below to its shape."""
    tokens, order = np.full(shape, pad_id, np.int32), np.full(shape, -1, np.int32)
    for row, ids in enumerate(rows):
        tokens[row, : len(ids)] = ids
        order[row, : len(ids)] = np.arange(len(ids))
    return tokens, order


def check_ids(ids: np.ndarray, vocab_size: int) -> None:
    """Raises ValueError for an id outside the vocabulary, which a device would silently replace."""
    if ids.size and (ids.min() < 0 or ids.max() >= vocab_size):
        wrong = int(ids.min()) if ids.min() < 0 else int(ids.max())
        raise ValueError(f"the tokenizer gives id {wrong}, outside its vocabulary of {vocab_size}; mend it")


def narrowest(vocab_size: int) -> np.dtype:
    """The narrowest integer type that holds every id."""
    return np.min_scalar_type(vocab_size - 1)
