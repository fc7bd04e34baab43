"""Stop words: English function words, which end few passages.

The list is `stop_words.txt`: pronouns, articles, conjunctions, prepositions, auxiliaries, question words, and
adverbs and quantifiers of that kind. GPT-2's own list is not published.
"""

import functools
from collections.abc import Sequence
from importlib import resources

import numpy as np
from jaxtyping import Bool

#: What stands for a space in the texts of some tokenizers.
_SPACES = " \u2581\u0120\n\t"


@functools.cache
def stop_words() -> frozenset[str]:
    """All of them, in lower case."""
    text = resources.files(__package__).joinpath("stop_words.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


def stop_tokens(token_texts: Sequence[str]) -> Bool[np.ndarray, "V"]:
    """Which tokens are a space and a whole stop word, in any case."""
    return np.asarray(
        [
            text[:1] != "" and text[0] in _SPACES and text.strip(_SPACES).lower() in stop_words()
            for text in token_texts
        ]
    )
