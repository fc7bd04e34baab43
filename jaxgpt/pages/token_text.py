"""Tokens and their scores as a page shows them."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxgpt.core.wording import visible


def readable(text: str) -> str:
    """Text with its line ends and tabs; other control characters and the like are escaped."""
    return re.sub(r"[^\n\t]+", lambda part: visible(part[0]), text.replace("\r\n", "\n"))


def label(token: str) -> str:
    """A token on one line, where spaces are seen, and so is that there is no text."""
    return visible(token).replace(" ", "\u2423") or "\u00b7"


def rounded(scores: Any) -> list[float | None]:
    """Scores with three digits; None where there is none."""
    return [float(f"{score:.3g}") if math.isfinite(score) else None for score in np.asarray(scores, float)]


def scale(scores: Sequence[float | None]) -> tuple[float, float]:
    """The least and the greatest score, and 0."""
    known = [score for score in scores if score is not None]
    return min([0.0, *known]), max([0.0, *known])


def pieces(tokens: Sequence[str], scores: Sequence[float | None]) -> list[dict[str, Any]]:
    """Each token in parts that are shown alike, its sign, and its score's share of the greatest."""
    most = max(map(abs, scale(scores))) or 1.0
    return [
        {
            "parts": [part for part in re.split(r"(\n| )", readable(token)) if part],
            "sign": "" if not score else "pos" if score > 0 else "neg",
            "share": f"{abs(score or 0.0) / most:.2f}",
        }
        for token, score in zip(tokens, scores, strict=True)
    ]
