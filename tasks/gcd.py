"""The greatest common divisor of two numbers, after Charton 2023 (arXiv 2308.15594).

A person asks `84,36` or `gcd(84, 36)` and reads `12`:

    >>> task = Gcd()
    >>> task.prompt("gcd(84, 36)")
    '84,36='
    >>> task.answer("84,36=", "12")
    '12'

Of two random numbers 61 % have no common divisor but 1, so that a model which always answers 1 is right 61 %
of the time. What counts is how many of the divisors 1 to 100 a model knows: the questions ask for each
equally often, and `gcds_correct` counts those that are answered rightly at least 95 times of 100.
"""

import collections
import dataclasses
import functools
import itertools
import math
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.task import Example, Split, Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.numbers import FEW, cannot_read, log_uniform, squeezed

#: What `--list` groups the experiments under.
HEADING = "more on numbers"

#: The share of an outcome's questions that have to be right for the outcome to count as correct.
CORRECT = 0.95


@dataclasses.dataclass(frozen=True)
class Gcd(Task):
    """gcd(a, b) of 1 <= a, b <= `max_operand`; a,b and b,a are always in the same split.

    The paper's three settings are `operands=uniform` (38 of the first 100 divisors), `operands=log_uniform`
    (73) and `operands=log_uniform` with `outcomes=log_uniform` (91).
    """

    max_operand: Annotated[int, "largest operand"] = 1_000_000
    operands: Annotated[Literal["uniform", "log_uniform"], "law of the operands trained on"] = "log_uniform"
    outcomes: Annotated[
        Literal["natural", "log_uniform"],
        "law of the divisors trained on: as the operands have it, or proportional to 1/k up to max_outcome",
    ] = "log_uniform"
    max_outcome: Annotated[int, "largest divisor that the questions ask for"] = 100

    sample_prompts = ("84,36", "1000,350", "91,65")

    def __post_init__(self):
        if self.max_outcome < 1:
            raise ValueError(f"max_outcome={self.max_outcome} must be at least 1")
        if self.max_operand < 100 * self.max_outcome:
            raise ValueError(
                f"max_operand={self.max_operand} must be at least 100 times max_outcome={self.max_outcome}, "
                "or the largest divisors have too few pairs"
            )

    def example(self, rng: random.Random) -> Example:
        if self.outcomes == "natural":
            return self._example(self._operand(rng, self.max_operand), self._operand(rng, self.max_operand))
        outcome = rng.choices(range(1, self.max_outcome + 1), cum_weights=self._inverse)[0]
        return self._with_outcome(rng, outcome, self._operand)

    def forms(self) -> Iterable[str] | None:
        if self.max_operand**2 > FEW:
            return None
        pairs = itertools.combinations_with_replacement(range(1, self.max_operand + 1), 2)
        most = self.max_operand if self.outcomes == "natural" else self.max_outcome
        return (f"{a} {b}" for a, b in pairs if math.gcd(a, b) <= most)

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Every outcome from 1 to `max_outcome` in turn, the operands uniform, whatever was trained on."""
        outcomes = [
            _Outcome(self.held_out, self.hold_out, task=self, outcome=k).examples(
                split, seed * self.max_outcome + k
            )
            for k in range(1, self.max_outcome + 1)
        ]
        return itertools.chain.from_iterable(zip(*outcomes, strict=True))

    def headings(self, example: Example) -> tuple[str, ...]:
        """The largest prime in the divisor: models learn the small ones first."""
        prime = _largest_prime(int(example.target))
        if prime == 1:
            return ("gcd 1",)
        low, high = next(pair for pair in ((2, 5), (7, 23), (29, math.inf)) if prime <= pair[1])
        return (
            f"gcd with largest prime {low}-{high}" if high < math.inf else f"gcd with a prime from {low}",
        )

    def summary(self, samples: list[tuple[Example, str]], training: Sequence[Example]) -> dict[str, float]:
        """Over the questions of each outcome k.

        `gcds_correct`: outcomes of which 95 % of the questions are right. `natural_accuracy`: what share of
        uniform operands with an outcome up to `max_outcome` would be right, the outcomes weighted by 1/k^2.
        """
        right = collections.defaultdict(list)
        for example, completion in samples:
            right[int(example.target)].append(completion == example.target)
        shares = {outcome: sum(marks) / len(marks) for outcome, marks in right.items()}
        weight = sum(k**-2 for k in shares)
        return {
            "gcds_correct": float(sum(share >= CORRECT for share in shares.values())),
            "natural_accuracy": sum(share * k**-2 for k, share in shares.items()) / weight,
        }

    def summary_limit(self, name: str) -> float:
        return self.max_outcome if name == "gcds_correct" else 1.0

    def typed(self, text: str) -> Example:
        match = re.fullmatch(r"(?:gcd)? ?\(?([0-9]+),([0-9]+)\)?", squeezed(text))
        if match is None or 0 in map(int, match.groups()):
            raise cannot_read(text, "84,36")
        return self._example(*map(int, match.groups()))

    def _operand(self, rng: random.Random, limit: int) -> int:
        return rng.randint(1, limit) if self.operands == "uniform" else log_uniform(rng, limit)

    def _with_outcome(self, rng: random.Random, outcome: int, law) -> Example:
        """Two numbers without a common divisor, times the outcome."""
        limit = self.max_operand // outcome
        while math.gcd(a := law(rng, limit), b := law(rng, limit)) > 1:
            pass
        return self._example(outcome * a, outcome * b)

    @functools.cached_property
    def _inverse(self) -> list[float]:
        """1 + 1/2 + ... + 1/k for each outcome k."""
        return list(itertools.accumulate(1 / k for k in range(1, self.max_outcome + 1)))

    def _example(self, a: int, b: int) -> Example:
        divisor = math.gcd(a, b)
        # Padded, so that the groups sort as the numbers do.
        group = f"gcd {str(divisor).zfill(len(str(self.max_outcome)))}"
        return Example(f"{a},{b}=", str(divisor), group, key=f"{min(a, b)} {max(a, b)}")


@dataclasses.dataclass(frozen=True)
class _Outcome(Task):
    """The questions of `task` with one outcome."""

    task: Gcd = dataclasses.field(default_factory=Gcd)
    outcome: int = 1

    @property
    def kept_out(self) -> frozenset[str]:
        return self.task.kept_out

    def typed(self, text: str) -> Example:
        return self.task.typed(text)

    def forms(self) -> Iterable[str] | None:
        largest = self.task.max_operand // self.outcome
        if largest**2 > FEW:
            return None
        pairs = itertools.combinations_with_replacement(range(1, largest + 1), 2)
        return (f"{self.outcome * a} {self.outcome * b}" for a, b in pairs if math.gcd(a, b) == 1)

    def example(self, rng: random.Random) -> Example:
        return self.task._with_outcome(rng, self.outcome, lambda rng, limit: rng.randint(1, limit))


def _largest_prime(number: int) -> int:
    """The largest prime divisor; 1 has none and gives 1."""
    largest = divisor = 1
    while number > 1:
        divisor += 1
        while number % divisor == 0:
            number, largest = number // divisor, divisor
    return largest


def gcd() -> Experiment:
    """Greatest common divisors of numbers up to a million, log-uniform operands and outcomes.

    Needs a GPU.
    """
    return Experiment(
        task=Gcd(),
        tokenizer="base:1000",
        # Layers and width of Int2Int (github.com/f-charton/Int2Int, README).
        model=ModelConfig(
            kind="encoder_decoder",
            num_layers=4,
            d_model=256,
            num_heads=8,
            max_length=16,
            position=Learned(),
            mlp=MLPConfig(activation="relu"),
        ),
        optimizer=AdamW(learning_rate=3e-4, warmup_steps=1000, final_fraction=0.01),
        training=TrainingConfig(
            steps=200_000,
            batch_size=512,
            train_examples=2_000_000,
            chunk=100,
            log_every=500,
            eval_every=10_000,
            eval_examples=2000,
            save_every=20_000,
            test_examples=20_000,
        ),
    )


def gcd_small() -> Experiment:
    """Greatest common divisors with a smaller model and less training."""
    base = gcd()
    return dataclasses.replace(
        base,
        model=dataclasses.replace(base.model, num_layers=2, d_model=128, num_heads=4),
        optimizer=AdamW(learning_rate=1e-3, final_fraction=0.01),
        training=TrainingConfig(
            steps=4000,
            batch_size=256,
            train_examples=300_000,
            chunk=50,
            log_every=100,
            eval_every=1000,
            eval_examples=1000,
            test_examples=10_000,
        ),
    )
