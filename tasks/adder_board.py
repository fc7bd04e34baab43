"""AdderBoard: sums of two numbers of up to ten digits, asked as its protocol asks them.

    >>> task = AdderBoard()
    >>> task.prompt("9 + 71421")
    '00000000009+00000071421='
    >>> task.answer("00000000009+00000071421=", "03417000000")
    '71430'

AdderBoard (https://github.com/anadim/AdderBoard) asks for the smallest transformer that gets 99 % of 10,010
sums right, token by token: ten that it names, and 10,000 that Python's `random` draws from seed 2025.
Trainable numbers are counted, fixed tables are not. An answer is as long as all are, eleven digits, so what
comes behind them is not read, and a model need not learn where an answer ends.

What makes do with the 26 weights of `smallest_adder`:

- `embedding.kind=parabola`: three for the ten digits, and for the output matrix, which is the same.
- `coupled_relative` positions with `marks=below`: three, for a digit of the weight below, of the same weight
  and of the next. Operands are padded to eleven digits, so that every step sees as many.
- One head of width 1: eight for queries, keys, values and outputs.
- Two hidden units of a tanh, twelve with biases: one step of a tanh takes 10 off where there is a carry.
- `head.factor=-1`: the last digit written says whether there was a carry, a + b less that digit. It comes
  through the residual stream, and so has to count against the digits that attention brings.

As in `tiny_adder` the program computes from the tokens which digits have one weight.
"""

import dataclasses
import functools
import itertools
import random
import re
from collections.abc import Iterable, Iterator
from typing import Annotated

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.embedding_config import EmbeddingConfig
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.position.coupled_relative import CoupledRelative
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.task import Example, Split, Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.numbers import FEW, cannot_read, squeezed

#: What `--list` groups the experiments under.
HEADING = "sums, differences, products"

#: Digits, sums that are drawn and the seed of the protocol, and the sums that it names.
_DIGITS, _DRAWN, _SEED = 10, 10_000, 2025
_NAMED = (
    (0, 0),
    (0, 1),
    (9_999_999_999, 0),
    (9_999_999_999, 1),
    (9_999_999_999, 9_999_999_999),
    (5_000_000_000, 5_000_000_000),
    (1_111_111_111, 8_888_888_889),
    (1_234_567_890, 9_876_543_210),
    (9_999_999_999, 9_999_999_999),
    (1, 9_999_999_999),
)


@dataclasses.dataclass(frozen=True)
class AdderBoard(Task):
    """a + b, both uniform from 0 to the largest number of `max_digits` digits, the ones of the answer first.

    Operands and answers are written with one digit more. Where numbers have ten digits, the first 10,010
    questions of the test are those of the protocol, and none of them is trained on. a+b and b+a are always in
    the same split.
    """

    max_digits: Annotated[int, "digits of the longest operand"] = _DIGITS

    split_fields = ("held_out", "hold_out", "max_digits")

    def __post_init__(self):
        if self.max_digits < 1:
            raise ValueError(f"max_digits={self.max_digits} must be at least 1")

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        return ("9+71421", "9999999999+1") if self.max_digits >= _DIGITS else ("9+1",)

    def example(self, rng: random.Random) -> Example:
        end = 10**self.max_digits
        return self._example(rng.randrange(end), rng.randrange(end))

    def split_of(self, example: Example) -> Split:
        return "test" if example.canonical in self._asked else super().split_of(example)

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Endless; those of the test begin with the protocol's, in its order, whatever the seed."""
        drawn = super().examples(split, seed)
        if split != "test":
            return drawn
        return itertools.chain(self._protocol, (e for e in drawn if e.canonical not in self._asked))

    def forms(self) -> Iterable[str] | None:
        end = 10**self.max_digits
        if end * (end + 1) // 2 > FEW:
            return None
        return (f"{a} {b}" for a, b in itertools.combinations_with_replacement(range(end), 2))

    def typed(self, text: str) -> Example:
        match = re.fullmatch(r"([0-9]+)\+([0-9]+)", squeezed(text))
        if match is None:
            raise cannot_read(text, self.sample_prompts[0])
        texts = [text.lstrip("0") for text in match.groups()]
        if max(map(len, texts)) > self.max_digits:
            raise ValueError(f"{text.strip()!r} has numbers longer than task.max_digits={self.max_digits}")
        return self._example(*(int(text or 0) for text in texts))

    def answer(self, prompt: str, completion: str) -> str:
        digits = completion[: self.max_digits + 1]
        whole = len(digits) > self.max_digits and re.fullmatch("[0-9]+", digits)
        return str(int(digits[::-1])) if whole else completion

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """Exact match of the first `max_digits` + 1 characters."""
        return {"exact_match": float(completion[: self.max_digits + 1] == example.target)}

    def _example(self, a: int, b: int) -> Example:
        width = self.max_digits + 1
        low, high = sorted((a, b))
        return Example(f"{a:0{width}}+{b:0{width}}=", f"{a + b:0{width}}"[::-1], key=f"{low} {high}")

    @functools.cached_property
    def _protocol(self) -> tuple[Example, ...]:
        if self.max_digits != _DIGITS:
            return ()
        rng, largest = random.Random(_SEED), 10**_DIGITS - 1
        drawn = ((rng.randint(0, largest), rng.randint(0, largest)) for _ in range(_DRAWN))
        return tuple(self._example(*pair) for pair in (*_NAMED, *drawn))

    @functools.cached_property
    def _asked(self) -> frozenset[str]:
        return frozenset(example.canonical for example in self._protocol)


def smallest_adder() -> Experiment:
    """Addition of 10 digits with 26 weights, 32 seeds at once, asked as AdderBoard asks.

    Takes 6 min on two CPU cores.
    """
    return Experiment(
        task=AdderBoard(),
        tokenizer="digits",
        model=ModelConfig(
            max_length=36,
            num_layers=1,
            d_model=2,
            num_heads=1,
            attention=AttentionConfig(head_dim=1, bias=False, out_bias=False),
            d_ff=2,
            position=CoupledRelative(reach=1, marks="below"),
            norm="none",
            mlp=MLPConfig(activation="tanh"),
            embedding=EmbeddingConfig(kind="parabola"),
            head=HeadConfig(factor=-1.0),
            init_std=None,
            residual_init="plain",
        ),
        # Answers are read by their length: their end is not to be learned.
        objective=NextToken(end_weight=1e-9),
        optimizer=AdamW(learning_rate=0.06, final_fraction=0.01, weight_decay=0.0),
        training=TrainingConfig(
            steps=20_000,
            batch_size=32,
            chunk=200,
            log_every=200,
            train_examples=100_000,
            test_examples=len(_NAMED) + _DRAWN,
        ),
        seeds=32,
    )
