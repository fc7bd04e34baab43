"""Modular arithmetic: an operation between two residues, of which a share of all pairs is learned from.

A person asks `57+99` and reads `43`, since 57 + 99 = 156 = 113 + 43:

    >>> task = Modular()
    >>> task.prompt(" 57 + 99 ")
    '57+99='
    >>> task.answer("57+99=", "43")
    '43'

This is the set-up of grokking (Power et al. 2022, arXiv 2201.02177; Nanda et al. 2023, arXiv 2301.05217):
the table of an operation is finite, part of its cells are trained on, and the others are answered long after
these are known by heart. The division `57/99` is 57 times the inverse of 99, and needs a prime modulus.
"""

import dataclasses
import functools
import hashlib
import itertools
import random
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.task import Example, Split, Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.numbers import spelled

#: What `--list` groups the experiments under.
HEADING = "more on numbers"

_SYMBOLS = {"addition": "+", "subtraction": "-", "multiplication": "*", "division": "/"}


@dataclasses.dataclass(frozen=True)
class Modular(Task):
    """a op b modulo a number, for every pair of residues (of a division, b is not 0).

    The split is exact: of n pairs, `held_out` n, rounded, are the test, as many validation, and `train` is
    all the rest, 30 % as it stands. As in the papers a+b and b+a are two pairs that the split may part; the
    results then tell those whose mirror was trained on from the others. `mirrored=together` never parts them.
    """

    held_out: Annotated[float, "share of the pairs in validation, and again in test"] = 0.35
    operation: Annotated[
        Literal["addition", "subtraction", "multiplication", "division"], "what is asked"
    ] = "addition"
    modulus: Annotated[int, "results are modulo it; a prime for division"] = 113
    mirrored: Annotated[Literal["apart", "together"], "a op b and b op a in the split"] = "apart"

    endless = False
    split_fields = ("held_out", "hold_out", "operation", "modulus", "mirrored")

    def __post_init__(self):
        if self.modulus < 2:
            raise ValueError(f"modulus={self.modulus} must be at least 2")
        if not 0 <= self.held_out < 0.5:
            raise ValueError(f"held_out={self.held_out} must be at least 0 and below 0.5")
        factor = next((d for d in range(2, int(self.modulus**0.5) + 1) if self.modulus % d == 0), None)
        if self.operation == "division" and factor:
            raise ValueError(
                f"modulus={self.modulus} is divisible by {factor}; operation=division needs a prime, e.g. 113"
            )

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        return f"{self.modulus // 2}{self._symbol}{self.modulus - 1}", f"1{self._symbol}{self.modulus - 1}"

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Every pair of the split once, shuffled.

        Raises:
          ValueError: if `held_out` leaves the split nothing.
        """
        found = [self._example(*pair) for pair in self._pairs() if self._splits[self._key(*pair)] == split]
        if not found:
            raise ValueError(f"held_out={self.held_out} leaves no {split} pairs modulo {self.modulus}")
        random.Random(seed).shuffle(found)
        return iter(found)

    def split_of(self, example: Example) -> Split:
        return self._splits[example.canonical]

    def typed(self, text: str) -> Example:
        match = re.fullmatch(rf"\s*([0-9]+)\s*{re.escape(self._symbol)}\s*([0-9]+)\s*=?\s*", spelled(text))
        if match is None:
            raise ValueError(
                f"cannot read {text!r} as a question; write one such as {self.sample_prompts[0]}"
            )
        first, second = (int(number) % self.modulus for number in match.groups())
        if self.operation == "division" and second == 0:
            raise ValueError(f"{text.strip()} divides by 0 modulo {self.modulus}")
        # Without a group, which depends on the split, which may depend on questions of a file.
        return Example(f"{first}{self._symbol}{second}=", "", key=self._key(first, second))

    def _example(self, first: int, second: int) -> Example:
        p = self.modulus
        result = {
            "addition": lambda: first + second,
            "subtraction": lambda: first - second,
            "multiplication": lambda: first * second,
            "division": lambda: first * pow(second, -1, p),
        }[self.operation]()
        prompt = f"{first}{self._symbol}{second}="
        return Example(prompt, str(result % p), self._group(first, second), self._key(first, second))

    @property
    def _symbol(self) -> str:
        return _SYMBOLS[self.operation]

    def _pairs(self) -> Iterator[tuple[int, int]]:
        smallest = 1 if self.operation == "division" else 0
        return itertools.product(range(self.modulus), range(smallest, self.modulus))

    def _key(self, first: int, second: int) -> str:
        if self.mirrored == "together":
            first, second = sorted((first, second))
        return f"{first} {second}"

    def _group(self, first: int, second: int) -> str:
        """Whether the same two numbers were trained on the other way round, where that gives it away."""
        if self._symbol not in "+*" or self.mirrored == "together" or first == second:
            return "no mirror to learn from"
        trained = self._splits[self._key(second, first)] == "train"
        return "mirror trained on" if trained else "mirror held out"

    @functools.cached_property
    def _splits(self) -> dict[str, Split]:
        """The split of every key: the keys in the order of their hashes, cut at exact counts."""
        keys = sorted({self._key(*pair) for pair in self._pairs()}, key=_digest)
        count = round(self.held_out * len(keys))
        return {
            key: "test" if i < count or key in self.kept_out else "validation" if i < 2 * count else "train"
            for i, key in enumerate(keys)
        }


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=8).digest()


def modular_addition() -> Experiment:
    """Addition modulo 113 from 30 % of all pairs, a full batch a step: the other pairs are grokked."""
    task = Modular()
    pairs = sum(1 for _ in task.examples("train"))
    return Experiment(
        task=task,
        tokenizer="whole",
        # One layer without norms, everything decays, as Nanda et al. have it; theirs has width 128, several
        # times the steps and a tenth of the learning rate.
        model=ModelConfig(
            num_layers=1,
            d_model=32,
            num_heads=4,
            max_length=8,
            position=Learned(),
            norm="none",
            mlp=MLPConfig(activation="relu"),
            attention=AttentionConfig(bias=False, out_bias=False),
            head=HeadConfig(weights="separate"),
            init_std=None,
            residual_init="plain",
        ),
        # The end of an answer is always one token away. Against a weight decay of 1 its loss is never done
        # with, and would share out the steps that the sums need.
        objective=NextToken(end_weight=0.01),
        optimizer=AdamW(
            learning_rate=1e-2,
            warmup_steps=10,
            final_fraction=0.01,
            beta2=0.98,
            weight_decay=1.0,
            decay="all",
            clip_norm=None,
        ),
        training=TrainingConfig(
            steps=3000,
            batch_size=pairs,
            eval_every=50,
            eval_examples=1000,
            test_examples=10_000,
        ),
    )
