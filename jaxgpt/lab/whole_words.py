"""What the words of a text tell: whether they are known, and how many runs of them come again."""

import re
from collections.abc import Collection

_LETTERS = re.compile(r"[^\W\d_]+")


def whole_words(text: str) -> list[str]:
    """The words of a text, case folded: each a run of letters with something else on either side.

    A word at an end of the text may have been cut, and is left out.
    """
    return [m[0].casefold() for m in _LETTERS.finditer(text) if m.start() > 0 and m.end() < len(text)]


def vocabulary(corpus: str) -> frozenset[str]:
    """The different words of a corpus, case folded."""
    return frozenset(match[0].casefold() for match in _LETTERS.finditer(corpus))


def share_known(text: str, known: Collection[str]) -> float:
    """The share of a text's words that are among the known ones; 0 for a text without a word."""
    words = whole_words(text)
    return sum(word in known for word in words) / len(words) if words else 0.0


def share_repeated(text: str, n: int = 4) -> float:
    """The share of a text's n-grams of words that came before: 1 - different ones / all.

    0 for a text without an n-gram. It grows with the length of the text, so compare texts of one length.
    """
    words = whole_words(text)
    runs = [*zip(*(words[i:] for i in range(n)), strict=False)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def mean_length(text: str) -> float:
    """The mean number of letters of a text's words; 0 for a text without a word."""
    words = whole_words(text)
    return sum(map(len, words)) / len(words) if words else 0.0
