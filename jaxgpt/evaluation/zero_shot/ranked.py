"""Several continuations of one context, of which the likeliest is the answer."""

from collections.abc import Sequence

import numpy as np

from jaxgpt.evaluation.zero_shot.continuations import Progress, score
from jaxgpt.evaluation.zero_shot.items import Item
from jaxgpt.models.transformer import Transformer


def log_likelihoods(
    models: Sequence[Transformer], items: Sequence[Item], progress: Progress
) -> list[list[tuple[float, ...]]]:
    """By model and item, the log-likelihood of each continuation."""
    found = []
    for of_model in score(models, [one for item in items for one in item.continuations], progress=progress):
        values = iter(of_model)
        found.append([tuple(next(values).log_likelihood for _ in item.continuations) for item in items])
    return found


def best(scores: Sequence[float], sizes: Sequence[int] | None = None) -> int:
    """The place of the highest score, each divided by its size where sizes are given; the first of equals."""
    return int(np.argmax(np.asarray(scores) / (1 if sizes is None else np.asarray(sizes))))
