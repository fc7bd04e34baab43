"""An n-gram model of bytes: the baseline that a trained language model has to beat.

Interpolated Witten-Bell smoothing (Witten and Bell 1991, IEEE Transactions on Information Theory 37(4),
method C; in the interpolated form of Chen and Goodman 1998, section 2.5): after the history h of k bytes,

    p_k(w | h) = (count(h w) + kinds(h) p_{k-1}(w | h')) / (count(h) + kinds(h))

where kinds(h) is how many different bytes followed h in training, h' is h without its first byte, and below
the shortest history every byte has 1/256. A history never seen leaves p_{k-1}.
"""

from collections.abc import Iterable

import numpy as np

_BITS = 9
# Stands before the first byte of a document, where a history is not yet full.
_BEFORE = 256
_LARGEST_ORDER = 63 // _BITS


class ByteNGram:
    """Witten-Bell n-gram model of the bytes of documents, each starting afresh.

    Raises:
      ValueError: for an order outside [1, 7], beyond which n-grams do not fit into 64 bits, or for
        training text without a byte.
    """

    def __init__(self, texts: Iterable[str], order: int = 5):
        if not 1 <= order <= _LARGEST_ORDER:
            raise ValueError(f"order={order} must be between 1 and {_LARGEST_ORDER}")
        self.order = order
        symbols, real = _symbols(texts, order)
        if not real.any():
            raise ValueError("an n-gram model needs training text; there is none")
        self._tables = []
        for n in range(1, order + 1):
            grams, counts = np.unique(_grams(symbols, real, n), return_counts=True)
            histories, first, kinds = np.unique(grams >> _BITS, return_index=True, return_counts=True)
            self._tables.append((grams, counts, histories, np.add.reduceat(counts, first), kinds))

    def probabilities(self, texts: Iterable[str]) -> np.ndarray:
        """The probability of every byte of the texts, one after the other."""
        symbols, real = _symbols(texts, self.order)
        return self._probabilities([_grams(symbols, real, n) for n in range(1, self.order + 1)])

    def following(self, history: bytes) -> np.ndarray:
        """The probabilities of the 256 bytes after a document that starts with `history`."""
        padded = [_BEFORE] * self.order + list(history)
        grams = []
        for n in range(1, self.order + 1):
            key = 0
            for symbol in padded[len(padded) - (n - 1) :]:
                key = key << _BITS | symbol
            grams.append((key << _BITS) + np.arange(256, dtype=np.int64))
        return self._probabilities(grams)

    def _probabilities(self, grams: list[np.ndarray]) -> np.ndarray:
        p = np.full(len(grams[0]), 1 / 256)
        for keys, (known, counts, histories, totals, kinds) in zip(grams, self._tables, strict=True):
            count = _look_up(known, counts, keys)
            total = _look_up(histories, totals, keys >> _BITS)
            kind = _look_up(histories, kinds, keys >> _BITS)
            seen = total > 0
            p = np.where(seen, (count + kind * p) / np.where(seen, total + kind, 1), p)
        return p


def bits_per_byte(train_texts: Iterable[str], held_out_texts: Iterable[str], order: int = 5) -> float:
    """Mean bits a byte of the held-out texts under the n-gram model of the training texts.

    The ends of documents are not predicted.

    Raises:
      ValueError: if either side has no text.
    """
    p = ByteNGram(train_texts, order).probabilities(held_out_texts)
    if not len(p):
        raise ValueError("bits per byte of no held-out text are not defined")
    return float(-np.log2(p).mean())


def _symbols(texts: Iterable[str], order: int) -> tuple[np.ndarray, np.ndarray]:
    """Bytes with order - 1 marks before each document, and which of the symbols are bytes."""
    before = np.full(order - 1, _BEFORE, np.int64)
    pieces = [np.zeros(0, np.int64)]
    for text in texts:
        pieces += [before, np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8).astype(np.int64)]
    symbols = np.concatenate(pieces)
    return symbols, symbols != _BEFORE


def _grams(symbols: np.ndarray, real: np.ndarray, n: int) -> np.ndarray:
    """The n-gram that ends at each byte, packed into an integer with the last byte in the low bits."""
    keys = symbols.copy()
    for back in range(1, n):
        keys[back:] |= symbols[:-back] << (_BITS * back)
    return keys[real]


def _look_up(known: np.ndarray, values: np.ndarray, keys: np.ndarray) -> np.ndarray:
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[places] == keys, values[places], 0)
