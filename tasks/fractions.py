"""Fractions: simplification, sums and products, the answer in lowest terms.

A person asks `3/4+5/6` and reads `19/12`; of an answer that is whole, the denominator is left out:

    >>> task = Fractions()
    >>> task.prompt(" 3/4 + 5/6 ")
    '3/4+5/6='
    >>> task.answer("3/4+5/6=", "19/12")
    '19/12'
    >>> Fractions(operation="simplification").prompt("42/56")
    '42/56='

The last is answered `3/4`. Results are grouped by what has to be done: how much there is to cancel, and how
the denominators of a sum are related.
"""

import dataclasses
import itertools
import math
import random
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Annotated, Literal, NamedTuple

from jaxgpt.models.config import ModelConfig
from jaxgpt.task import Example, Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.numbers import FEW, cannot_read, log_uniform, squeezed

#: What `--list` groups the experiments under.
HEADING = "more on numbers"

_SYMBOLS = {"simplification": "", "sum": "+", "product": "*"}


class _Ratio(NamedTuple):
    """A fraction as it is written, which need not be in lowest terms."""

    numerator: int
    denominator: int

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclasses.dataclass(frozen=True)
class Fractions(Task):
    """Positive fractions with numerators and denominators of 1 to `max_term`.

    A fraction to be simplified is a/b times k/k, k log-uniform; the terms of sums and products are uniform.
    Both orders of two fractions are always in the same split.
    """

    operation: Annotated[Literal["simplification", "sum", "product"], "what is asked"] = "sum"
    max_term: Annotated[int, "largest numerator and denominator"] = 20

    def __post_init__(self):
        if self.max_term < 4:
            raise ValueError(f"max_term={self.max_term} must be at least 4")

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        return {
            "simplification": ("2/4", f"{self.max_term}/{self.max_term // 2}"),
            "sum": ("1/2+1/3", f"3/4+1/{self.max_term}"),
            "product": ("1/2*2/3", f"3/4*4/{self.max_term}"),
        }[self.operation]

    def example(self, rng: random.Random) -> Example:
        if self.operation == "simplification":
            factor = log_uniform(rng, self.max_term // 2)
            limit = self.max_term // factor
            return self._example([_Ratio(factor * rng.randint(1, limit), factor * rng.randint(1, limit))])
        return self._example([_Ratio(*(rng.randint(1, self.max_term) for _ in range(2))) for _ in range(2)])

    def forms(self) -> Iterable[str] | None:
        count = 1 if self.operation == "simplification" else 2
        if self.max_term ** (2 * count) > FEW:
            return None
        terms = range(1, self.max_term + 1)
        ratios = sorted(str(_Ratio(*pair)) for pair in itertools.product(terms, repeat=2))
        return map(self._symbol.join, itertools.combinations_with_replacement(ratios, count))

    def typed(self, text: str) -> Example:
        ratio = "([0-9]+)/([0-9]+)"
        pattern = ratio if self.operation == "simplification" else f"{ratio}{re.escape(self._symbol)}{ratio}"
        match = re.fullmatch(pattern, squeezed(text))
        if match is None:
            raise cannot_read(text, self.sample_prompts[0])
        terms = list(map(int, match.groups()))
        if 0 in terms:
            raise ValueError(f"{text.strip()!r} holds a 0; write positive fractions such as 3/4")
        return self._example([_Ratio(*terms[i : i + 2]) for i in range(0, len(terms), 2)])

    @property
    def _symbol(self) -> str:
        return _SYMBOLS[self.operation]

    def _example(self, ratios: list[_Ratio]) -> Example:
        result = math.prod(Fraction(*r) for r in ratios) if self._symbol != "+" else sum(map(_exact, ratios))
        prompt = self._symbol.join(map(str, ratios)) + "="
        return Example(prompt, str(result), self._group(ratios), self._symbol.join(sorted(map(str, ratios))))

    def _group(self, ratios: list[_Ratio]) -> str:
        if self.operation == "sum":
            return _relation(*(ratio.denominator for ratio in ratios))
        over, under = (math.prod(terms) for terms in zip(*ratios, strict=True))
        divisor = math.gcd(over, under)
        if divisor == 1:
            return "nothing cancels"
        return "cancels 2-9" if divisor < 10 else "cancels 10 or more"


def _exact(ratio: _Ratio) -> Fraction:
    return Fraction(*ratio)


def _relation(first: int, second: int) -> str:
    """What the common denominator of a sum takes."""
    if first == second:
        return "equal denominators"
    divisor = math.gcd(first, second)
    if divisor in (first, second):
        return "one denominator divides the other"
    return "denominators without a common factor" if divisor == 1 else "denominators share a factor"


def fraction_simplification() -> Experiment:
    """Fractions of numbers up to 99 in lowest terms."""
    return Experiment(
        task=Fractions(operation="simplification", max_term=99),
        tokenizer="digits",
        model=ModelConfig(num_layers=2, d_model=64, num_heads=4, max_length=24, init_std=None),
        optimizer=AdamW(learning_rate=3e-3, final_fraction=0.01),
        training=TrainingConfig(steps=2000, batch_size=128, eval_every=500, test_examples=1000),
    )


def fraction_sum() -> Experiment:
    """Sums of two fractions with terms up to 20, in lowest terms."""
    return dataclasses.replace(fraction_simplification(), task=Fractions())
