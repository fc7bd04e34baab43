"""Base conversion: a natural number written in one base, to be written in another.

With the default bases a person asks `26`, in base 10, and reads `11010`, in base 2:

    >>> task = BaseConversion()
    >>> task.prompt(" 26 = ")
    '26='
    >>> task.answer("26=", "11010")
    '11010'

Digits above 9 are letters, `1a` for 26 in base 16. Results are grouped by the length of what is asked.
"""

import dataclasses
import random
import string
from collections.abc import Iterable, Iterator
from typing import Annotated

from jaxgpt.models.config import ModelConfig
from jaxgpt.task import Example, Split, Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.numbers import FEW, cannot_read, check_range, of_digits, squeezed

#: What `--list` groups the experiments under.
HEADING = "more on numbers"

_DIGITS = string.digits + string.ascii_lowercase


@dataclasses.dataclass(frozen=True)
class BaseConversion(Task):
    """Numbers of `min_digits` to `max_digits` digits in `from_base`, lengths uniform, rewritten in `to_base`.

    The split is by number.
    """

    from_base: Annotated[int, "base of what is asked, 2 to 36"] = 10
    to_base: Annotated[int, "base of the answer, 2 to 36"] = 2
    min_digits: Annotated[int, "shortest number asked, in from_base"] = 2
    max_digits: Annotated[int, "longest number asked, in from_base"] = 4

    def __post_init__(self):
        for name in ("from_base", "to_base"):
            if not 2 <= getattr(self, name) <= len(_DIGITS):
                raise ValueError(f"{name}={getattr(self, name)} is not in 2 to {len(_DIGITS)}")
        check_range("digits", self.min_digits, self.max_digits, least=1)

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        return "1" * self.min_digits, "1" + "0" * (self.max_digits - 1)

    def example(self, rng: random.Random) -> Example:
        return self._example(of_digits(rng, rng.randint(self.min_digits, self.max_digits), self.from_base))

    def forms(self) -> Iterable[str] | None:
        return map(str, self._numbers) if self._end <= FEW else None

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Where there are few numbers, every one of the split once, shuffled; else the examples."""
        if self._end > FEW:
            return self.examples(split, seed)
        listed = self._listed(split)
        random.Random(seed).shuffle(listed)
        return iter(listed)

    @property
    def _end(self) -> int:
        return self.from_base**self.max_digits

    @property
    def _numbers(self) -> range:
        return range(0 if self.min_digits == 1 else self.from_base ** (self.min_digits - 1), self._end)

    def _listed(self, split: Split) -> list[Example]:
        return [e for e in map(self._example, self._numbers) if self.split_of(e) == split]

    def typed(self, text: str) -> Example:
        asked = squeezed(text).lower()
        allowed = _DIGITS[: self.from_base]
        if not asked or not set(asked) <= set(allowed):
            raise cannot_read(text, f"{self.sample_prompts[1]}, with the digits {allowed}")
        return self._example(int(asked, self.from_base))

    def _example(self, number: int) -> Example:
        asked = numeral(number, self.from_base)
        width = len(str(self.max_digits))
        group = f"{str(len(asked)).zfill(width)} digit{'s' if len(asked) > 1 else ''}"
        return Example(f"{asked}=", numeral(number, self.to_base), group, key=str(number))


def numeral(number: int, base: int) -> str:
    """A natural number in a base from 2 to 36."""
    digits = []
    while number or not digits:
        number, digit = divmod(number, base)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def base_conversion() -> Experiment:
    """Numbers of 2 to 4 decimal digits in base 2."""
    return Experiment(
        task=BaseConversion(),
        tokenizer="digits",
        model=ModelConfig(num_layers=2, d_model=64, num_heads=4, max_length=24, init_std=None),
        optimizer=AdamW(learning_rate=3e-3, final_fraction=0.01),
        training=TrainingConfig(steps=2000, batch_size=128, eval_every=500, test_examples=1000),
    )
