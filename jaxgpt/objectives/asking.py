"""How questions are asked of a model."""

import dataclasses
from collections.abc import Callable, Sequence

from jaxgpt.generation.decode import GREEDY
from jaxgpt.generation.prompts import check_batch_size
from jaxgpt.generation.sampling import Sampling


@dataclasses.dataclass(frozen=True)
class Asking:
    """What a call of `Objective.predict` may say beside the prompts.

    Attributes:
      targets: the right answer to each prompt, where they are known. Of these a model may learn how long an
        answer is, and nothing else.
      max_new_tokens: of an answer whose length nothing else says; None: as many as fit.
      sampling: greedy unless it says otherwise.
      stop: texts that an answer ends before.
      batch_size: prompts answered together.
      progress: called with (prompts done, all prompts).

    Raises:
      ValueError: for a batch size below 1.
    """

    targets: Sequence[str] | None = None
    max_new_tokens: int | None = None
    sampling: Sampling = GREEDY
    stop: Sequence[str] = ()
    batch_size: int = 64
    progress: Callable[[int, int], None] | None = None

    def __post_init__(self):
        check_batch_size(self.batch_size)
