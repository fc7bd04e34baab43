"""Several examples in each row of a table, so that little of a step is spent on padding.

Krell et al. 2021, "Efficient sequence packing without cross-contamination", arXiv 2107.02027.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from jaxgpt.data.numbers import with_features
from jaxgpt.data.rows import Rows

#: What a predicted token is to its example: nothing (padding), of the prompt, of the target, its end.
NOTHING, PROMPT, TARGET, END = range(4)


@dataclasses.dataclass(frozen=True)
class Packed:
    """Rows of several examples, one behind the other, then padding.

    An example takes one place for each token that a model reads of it, which is all but its end. What it
    predicts there stands beside.

    Attributes:
      tokens: as in `Rows`, the last one of a row is never read; here it is padding. [N, L + 1]
      targets: what follows each token in its example. [N, L]
      documents: which example of its row each token is of, counted from 1; 0 on padding. [N, L]
      roles: what each target is, one of NOTHING, PROMPT, TARGET, END. [N, L]
      numbers: features of the number tokens among `tokens`, where the tokenizer has such. [N, L + 1, F]
      number_id: of those tokens.
    """

    tokens: np.ndarray
    targets: np.ndarray
    documents: np.ndarray
    roles: np.ndarray
    numbers: np.ndarray | None = None
    number_id: int | None = None

    @property
    def num_examples(self) -> int:
        """The rows, which are what a batch is made of."""
        return len(self.tokens)

    @property
    def num_documents(self) -> int:
        """The examples in all rows."""
        return int(self.documents.max(axis=1).sum())

    @property
    def share(self) -> float:
        """The share of places that hold a token."""
        return float((self.documents > 0).mean())

    def document_ids(self, row: int) -> list[list[int]]:
        """The examples of a row as `encode` gave them, with their special ids."""
        found = []
        for number in range(1, int(self.documents[row].max()) + 1):
            places = np.flatnonzero(self.documents[row] == number)
            numbers = None if self.numbers is None else self.numbers[row, places]
            read = with_features(self.tokens[row, places], numbers, self.number_id)
            found.append([*read, int(self.targets[row, places[-1]])])
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """The table as a dictionary, for the device."""
        named = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: value for name, value in named.items() if isinstance(value, np.ndarray)}

    def batch(self, index: np.ndarray) -> dict[str, np.ndarray]:
        """Some of the rows."""
        return {name: value[index] for name, value in self.arrays().items()}


def best_fit(lengths: Sequence[int], width: int) -> tuple[list[int], list[int]]:
    """The row and the place that each of some examples begins at, in rows of `width` places each.

    Longest first, each into the fullest row that has room for it ("longest-pack-first histogram-packing",
    section 3.1 of the paper; best-fit decreasing); of equal lengths in the order given. Time grows as the
    number of examples.

    Raises:
      ValueError: if one is longer than a row.
    """
    if max(lengths) > width:
        raise ValueError(
            f"training.packing={width} is shorter than the longest example, which takes {max(lengths)} "
            "places; raise it, to about twice as many"
        )
    rows, places = [0] * len(lengths), [0] * len(lengths)
    free: list[list[int]] = [[] for _ in range(width + 1)]  # rows by how much room they have
    some = 0  # bit n: there are rows with room for exactly n
    count = 0
    for example in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        length = lengths[example]
        if fitting := some >> length:
            room = length + (fitting & -fitting).bit_length() - 1
            row = free[room].pop()
            if not free[room]:
                some ^= 1 << room
        else:
            room, row, count = width, count, count + 1
        rows[example], places[example] = row, width - room
        left = room - length
        free[left].append(row)
        some |= 1 << left
    return rows, places


def pack(table: Rows, width: int, pad_id: int) -> Packed:
    """The decoder's rows of a table, packed into as few rows of `width` places as best fit finds.

    It depends on the table alone: what shares a row does so for the whole of a training.
    """
    read = table.length - 1
    rows, places = (np.asarray(x, np.int64) for x in best_fit(read.tolist(), width))
    place = np.arange(table.tokens.shape[1] - 1)[None]
    real = place < read[:, None]
    at = (np.repeat(rows, read), np.repeat(places, read) + np.broadcast_to(place, real.shape)[real])
    shape = (int(rows.max()) + 1, width)
    # The examples of a row by where they begin.
    order = np.lexsort((places, rows))
    begins = np.flatnonzero(np.diff(rows[order], prepend=-1))
    rank = np.empty(len(rows), np.int64)
    rank[order] = np.arange(len(rows)) - np.repeat(begins, np.diff(begins, append=len(rows)))
    documents = np.zeros(shape, np.min_scalar_type(int(rank.max()) + 1))
    documents[at] = np.repeat(rank + 1, read)
    role = np.where(place + 1 < table.start[:, None], PROMPT, TARGET)
    role = np.where(place + 1 == read[:, None], END, role)
    roles = np.full(shape, NOTHING, np.uint8)
    roles[at] = role[real]
    targets = np.full(shape, pad_id, table.tokens.dtype)
    targets[at] = table.tokens[:, 1:][real]
    tokens = np.full((shape[0], width + 1), pad_id, table.tokens.dtype)
    tokens[at] = table.tokens[:, :-1][real]
    numbers = None
    if table.numbers is not None:
        numbers = np.zeros((*tokens.shape, table.numbers.shape[2]), table.numbers.dtype)
        numbers[at] = table.numbers[:, :-1][real]
    return Packed(tokens, targets, documents, roles, numbers, table.number_id)
