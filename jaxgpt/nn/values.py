"""Fixed features of tokens that are numbers, for embeddings with fewer weights than tokens.

An embedding table E is then F W, with F [V, C] fixed and W [C, D] learned: a factorized embedding (Lan et
al. 2020, arXiv 1909.11942, section 3.1) whose first factor says what the tokens mean.
"""

from collections.abc import Sequence

import numpy as np

from jaxgpt.nn.position.base import digit_flags


def token_values(token_texts: Sequence[str]) -> tuple[int, ...]:
    """The number that each id spells in ASCII digits, -1 where it is none."""
    return tuple(
        int(text) if is_number else -1
        for text, is_number in zip(token_texts, digit_flags(token_texts), strict=True)
    )


def check_numbers(token_texts: Sequence[str], kind: str) -> None:
    """That an embedding of this kind can tell the numbers among some tokens apart.

    Raises:
      ValueError: for two tokens of one value, and for fewer than three numbers, which are no parabola.
    """
    first: dict[int, str] = {}
    for text, value in zip(token_texts, token_values(token_texts), strict=True):
        if value in first:
            raise ValueError(
                f"embedding.kind={kind} cannot tell the tokens {first[value]!r} and {text!r} apart, which "
                "are one number; use embedding.kind=free, or another tokenizer"
            )
        if value >= 0:
            first[value] = text
    if len(first) < 3:
        raise ValueError(
            f"embedding.kind={kind} needs tokens for three numbers or more; use embedding.kind=free, or "
            "another tokenizer"
        )


def value_features(values: Sequence[int]) -> np.ndarray:
    """1, x and x^2 of a number token, where x is its value less the mean, over the standard deviation of all
    number tokens; every other token, value -1, has a feature of its own. [V, C]

    Embeddings in these features lie on a parabola, and so do the inner products of a hidden state with them:
    two directions of the hidden state are enough to give any one number the largest.
    """
    known = np.asarray(values, np.float64)
    number = known >= 0
    x = np.where(number, (known - known[number].mean()) / known[number].std(), 0.0)
    others = np.eye(len(known))[:, ~number]
    return np.concatenate([np.stack([number, x, x * x], axis=1), others], axis=1)
