"""An experiment: everything that decides a run, as one frozen value with a JSON round trip."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated

from jaxgpt.core import fields
from jaxgpt.models.config import ModelConfig
from jaxgpt.objectives.base import Objective
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.task import Task
from jaxgpt.tokenizers.tokenizer import Tokenizer
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.optimizers.base import Optimizer
from jaxgpt.training.training_config import TrainingConfig


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A task, how its text is read, the model, and how it is trained.

    An experiment is written as a function that returns one of these; a variant calls another function and
    replaces fields with `dataclasses.replace`.
    """

    task: Annotated[Task, "what is learned"]
    tokenizer: Annotated[str, "short name such as digits, digits:3:right, bytes, bpe:512, or a directory"]
    model: Annotated[ModelConfig, "a preset in its place, or a size such as 4x128 for it"] = (
        dataclasses.field(default_factory=ModelConfig)
    )
    objective: Annotated[Objective, "what is learned"] = dataclasses.field(default_factory=NextToken)
    optimizer: Annotated[Optimizer, "the update rule; my_package.my_module:MyOptimizer names another"] = (
        dataclasses.field(default_factory=AdamW)
    )
    training: Annotated[TrainingConfig, "the loop"] = dataclasses.field(default_factory=TrainingConfig)
    seeds: Annotated[int, "replicas trained together, each from its own seed"] = 1

    def __post_init__(self):
        if self.seeds < 1:
            raise ValueError(f"seeds={self.seeds} must be at least 1")
        if self.training.seed + self.seeds > 2**31:
            raise ValueError(
                f"the last of seeds={self.seeds} from training.seed={self.training.seed} on is not "
                "below 2**31"
            )

    def model_for(self, tokenizer: Tokenizer, label_names: Sequence[str] = ()) -> ModelConfig:
        """The model with all that follows from the tokenizer, the objective and the labels filled in.

        Raises:
          ValueError: as `ModelConfig.for_vocabulary`.
        """
        return self.model.for_vocabulary(
            tokenizer.vocabulary(), marks=self.objective.marks, label_names=label_names
        )

    def only_here(self) -> list[str]:
        """What of the experiment no other process would find again, a sentence each with the way out."""
        found = fields.only_here(self)
        if self.tokenizer.startswith("__main__:"):
            found.append(Tokenizer.named(":".join(self.tokenizer.split(":")[:2])).only_here())
        return found
