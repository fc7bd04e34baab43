"""Sorting: natural numbers in ascending order.

A person asks `31,4,15` and reads `4,15,31`:

    >>> task = Sorting()
    >>> task.prompt(" 31, 4, 15 ")
    '31,4,15='
    >>> task.answer("31,4,15=", "4,15,31")
    '4,15,31'

Results are grouped by how many numbers there are.
"""

import collections
import dataclasses
import itertools
import math
import random
import re
from collections.abc import Iterable
from typing import Annotated

from jaxgpt.models.config import ModelConfig
from jaxgpt.task import Example, Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.arithmetic.notation import read_number
from tasks.numbers import FEW, cannot_read, check_range, of_digits, squeezed

#: What `--list` groups the experiments under.
HEADING = "more on numbers"


@dataclasses.dataclass(frozen=True)
class Sorting(Task):
    """`min_items` to `max_items` numbers of 1 to `max_digits` digits, both uniform; a number may come twice.

    The same numbers in another order are always in the same split.
    """

    min_items: Annotated[int, "fewest numbers"] = 2
    max_items: Annotated[int, "most numbers"] = 5
    max_digits: Annotated[int, "longest number"] = 3

    def __post_init__(self):
        check_range("items", self.min_items, self.max_items, least=1)
        if self.max_digits < 1:
            raise ValueError(f"max_digits={self.max_digits} must be at least 1")

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        end = 10**self.max_digits
        return tuple(
            ",".join(str((end - 1 - 7 * i) % end) for i in range(n)) for n in (self.min_items, self.max_items)
        )

    def example(self, rng: random.Random) -> Example:
        count = rng.randint(self.min_items, self.max_items)
        return self._example([of_digits(rng, rng.randint(1, self.max_digits)) for _ in range(count)])

    def forms(self) -> Iterable[str] | None:
        if self.max_items > 12 or self.max_digits > 5:
            return None
        numbers, counts = range(10**self.max_digits), range(self.min_items, self.max_items + 1)
        if sum(math.comb(len(numbers) + count - 1, count) for count in counts) > FEW:
            return None
        chosen = (itertools.combinations_with_replacement(numbers, count) for count in counts)
        return (",".join(map(str, items)) for items in itertools.chain.from_iterable(chosen))

    def headings(self, example: Example) -> tuple[str, ...]:
        lengths = {len(number) for number in example.target.split(",")}
        return ("lengths differ" if len(lengths) > 1 else "equal lengths",)

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """`exact_match`; `same_numbers`: nothing left out or made up; `ascending`: in order, right or not."""
        try:
            numbers = list(map(read_number, completion.split(",")))
        except ValueError:
            numbers = []
        asked = map(int, example.target.split(","))
        return {
            "exact_match": float(completion == example.target),
            "same_numbers": float(collections.Counter(numbers) == collections.Counter(asked)),
            "ascending": float(bool(numbers) and numbers == sorted(numbers)),
        }

    def typed(self, text: str) -> Example:
        if not re.fullmatch(r"[0-9]+(,[0-9]+)*", asked := squeezed(text)):
            raise cannot_read(text, "31,4,15")
        return self._example(list(map(int, asked.split(","))))

    def _example(self, numbers: list[int]) -> Example:
        ordered = ",".join(map(str, sorted(numbers)))
        group = f"{str(len(numbers)).zfill(len(str(self.max_items)))} numbers"
        return Example(",".join(map(str, numbers)) + "=", ordered, group, key=ordered)


def sorting() -> Experiment:
    """Sorting of 2 to 5 numbers of up to 3 digits."""
    return Experiment(
        task=Sorting(),
        tokenizer="digits",
        model=ModelConfig(num_layers=2, d_model=64, num_heads=4, max_length=48, init_std=None),
        optimizer=AdamW(learning_rate=3e-3, final_fraction=0.01),
        training=TrainingConfig(steps=1500, batch_size=128, eval_every=500, test_examples=2000),
    )
