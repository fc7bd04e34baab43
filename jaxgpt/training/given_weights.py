"""A trained model that training starts from, wherever it lies."""

import abc

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.template import Params
from jaxgpt.tokenizers.tokenizer import Tokenizer


class GivenWeights(abc.ABC):
    """A model that is known before its weights are read.

    Attributes:
      path: as `model.init` names it.
      config: of the model, with its vocabulary.
      tokenizer: that the model reads text with; None: ids mean what they mean to the new model.
      seeds: of its replicas, one a seed; empty: one model, for every seed.
    """

    path: str
    config: ModelConfig
    tokenizer: Tokenizer | None
    seeds: tuple[int, ...] = ()

    @abc.abstractmethod
    def read(self) -> list[Params]:
        """The weights of each replica, by their names."""

    def has_labels_of(self, model: ModelConfig) -> bool:
        """Whether its labels are those of another model, so that the head that tells them apart is kept."""
        return True

    def replicas_of(self, seeds: range) -> list[int]:
        """Which replica each seed starts from: that of the same seed, or the only one.

        Raises:
          ValueError: if there are several, and none of a seed.
        """
        if len(self.seeds) < 2:
            return [0] * len(seeds)
        missing = [seed for seed in seeds if seed not in self.seeds]
        if missing:
            raise ValueError(
                f"{self.path} was trained with the seeds {self.seeds[0]}-{self.seeds[-1]}, and each seed "
                f"starts from its own: there is none for seed {missing[0]}; change seeds or training.seed"
            )
        return [self.seeds.index(seed) for seed in seeds]
