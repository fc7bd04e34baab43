"""The arms of a search: with the transformer, and what it is compared with at equal time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from jaxgpt.core.wording import quoted
from jaxgpt.search.generation_step import Beside, Way
from jaxgpt.search.improving import Improving
from jaxgpt.search.search_config import SearchConfig
from jaxgpt.search.set_model import BigramModel, SetModel, TransformerModel
from jaxgpt.search.set_tokens import SetTokens


class Arm(NamedTuple):
    """What proposes, whether a local search follows, and both in words."""

    model: type[SetModel] | None
    searches: bool
    words: str


ARMS = {
    "transformer": Arm(TransformerModel, True, "a transformer proposes, local search improves"),
    "none": Arm(None, True, "greedy fill proposes, local search improves: the search without a model"),
    "bigram": Arm(BigramModel, True, "a bigram proposes, local search improves"),
    "transformer-alone": Arm(TransformerModel, False, "a transformer proposes; repair and greedy fill only"),
}


def check(arms: Sequence[str]) -> None:
    """Raises ValueError for arms that do not exist, or one that is named twice."""
    for arm in arms:
        if arm not in ARMS:
            raise ValueError(f"arms: no arm is called {quoted(arm)}; known: {', '.join(ARMS)}")
    if not arms or len(set(arms)) < len(arms):
        raise ValueError(f"arms={','.join(arms)}: name at least one, each once")


def ways(
    arms: Sequence[str],
    improving: Improving,
    tokens: SetTokens,
    config: SearchConfig,
    beside: Beside,
) -> dict[str, Way]:
    """How each arm searches; arms with the same model share its programs.

    Args:
      beside: sets that models learn beside those that are kept.
    """
    models: dict[type[SetModel], SetModel] = {}
    found = {}
    for name in arms:
        arm = ARMS[name]
        if arm.model is not None and arm.model not in models:
            models[arm.model] = arm.model(tokens, config)
        model = None if arm.model is None else models[arm.model]
        found[name] = Way(improving, tokens, config, model, arm.searches, beside)
    return found


def prepare(ways: dict[str, Way], sets: Bool[np.ndarray, "S E"]) -> None:
    """Compile every program of the arms, so that no arm's time counts it."""
    for way in {id(way.model): way for way in ways.values()}.values():
        way.prepare(sets)
