"""What a search in generations is: how sets are improved, kept, learned and proposed."""

import dataclasses
import math
from typing import Annotated, Literal

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.presets.small import makemore
from jaxgpt.search.moves import Moves
from jaxgpt.search.orbits import TABLE_LIMIT
from jaxgpt.training.optimizers import Optimizer
from jaxgpt.training.optimizers.muon import Muon


def _optimizer() -> Optimizer:
    return Muon(learning_rate=5e-3, warmup_steps=10, final_fraction=0.01, clip_norm=0.5)


@dataclasses.dataclass(frozen=True)
class SearchConfig:
    """A search in generations (Charton et al. 2024, arXiv 2411.00566, PatternBoost, section 2).

    In each generation sets are proposed, repaired and improved, and the best of all are kept. What is kept is
    what a model learns before it proposes.

    Raises:
      ValueError: for a value outside its range.
    """

    generations: Annotated[int, "of the first arm, after a beginning with greedy fill"] = 10
    states: Annotated[int, "sets that are proposed and improved in a generation"] = 1024
    steps: Annotated[int, "moves of the local search of each set"] = 500
    symmetry: Annotated[str, "of the local search: whole orbits move"] = "none"
    keep: Annotated[int, "the best sets that are kept and learned"] = 1024
    smaller: Annotated[
        int, "sizes n - 1, n - 2, ... of the problem whose best sets are learned, too; they are not kept"
    ] = 0
    feedback: Annotated[
        Literal["best", "weighted", "policy"],
        "best: kept sets are learned equally often; weighted: by the exponential of their size; policy: a "
        "transformer learns them once, and then from the sizes of what it writes, a bigram as with best",
    ] = "best"
    sharpness: Annotated[
        float, "feedback=weighted: one element more is learned exp(sharpness) times as often"
    ] = 1.0
    reward: Annotated[
        Literal["size", "pairs"],
        "feedback=policy: the size of a proposal once repaired; or what a model has learned of pairs",
    ] = "size"
    stay: Annotated[
        float, "feedback=policy: what a nat of distance from the model that it began with costs, in elements"
    ] = 0.1
    policy_rate: Annotated[float, "feedback=policy: its learning rate"] = 3e-4
    written: Annotated[
        Literal["elements", "bits"], "a set as a list of its elements, or as 0 and 1 for every element"
    ] = "elements"
    given: Annotated[float, "share of a kept set that the model goes on from; 0: it writes from nothing"] = (
        0.0
    )
    temperature: Annotated[float, "of what a model writes; more where it repeats itself"] = 1.0
    train_steps: Annotated[int, "optimizer steps in a generation"] = 300
    batch_size: Annotated[int, "sets an optimizer step"] = 64
    model: Annotated[
        ModelConfig, "that learns the sets; its vocabulary and length follow from the problem"
    ] = dataclasses.field(default_factory=makemore)
    optimizer: Annotated[Optimizer, "begun anew in each generation"] = dataclasses.field(
        default_factory=_optimizer
    )
    moves: Annotated[Moves, "of the local search"] = dataclasses.field(default_factory=Moves)
    table_limit: Annotated[int, "the most bytes that a table of conflicts may take"] = TABLE_LIMIT

    def __post_init__(self):
        for name in ("generations", "states", "keep", "train_steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if not 0 <= self.steps < 2**31:
            raise ValueError(f"steps={self.steps} must be at least 0 and below 2^31")
        if self.smaller < 0:
            raise ValueError(f"smaller={self.smaller} must be at least 0")
        if not 0 <= self.given < 1:
            raise ValueError(f"given={self.given} must be at least 0 and below 1")
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature={self.temperature} must be above 0 and finite")
        if self.feedback == "policy" and self.states < self.batch_size:
            raise ValueError(
                f"states={self.states} are fewer than batch_size={self.batch_size}, which one update needs"
            )
        for name in ("sharpness", "policy_rate"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)} must be above 0 and finite")
        if not 0 <= self.stay < math.inf:
            raise ValueError(f"stay={self.stay} must be at least 0 and finite")
        if self.model.kind != "decoder":
            raise ValueError(f"model.kind={self.model.kind}: sets are written by a decoder")
        if self.model.vocab_size:
            raise ValueError(
                f"model.vocab_size={self.model.vocab_size}: it follows from the problem; leave it at 0"
            )
