"""Comparison: the largest of two or more numbers, integers or decimals.

A person asks `9.9?9.11` and reads `9.9`, which is the larger although 11 is more than 9 and `9.11` is longer:

    >>> task = Comparison()
    >>> task.prompt(" 9.9 ? 9.11 ")
    '9.9?9.11='
    >>> task.answer("9.9?9.11=", "9.9")
    '9.9'

Results are grouped by whether a wrong order of the numbers agrees or misleads: integers ordered as text (9
after 11), decimals as versions of a program (9.11 after 9.9).
"""

import dataclasses
import functools
import itertools
import math
import random
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal

from jaxgpt.models.config import ModelConfig
from jaxgpt.task import Diagnosis, Example, Task
from jaxgpt.task.searching import Search
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.arithmetic.experiments import eight_tokenizations, which_tokenization
from tasks.numbers import FEW, cannot_read, check_range, of_digits, squeezed

#: What `--list` groups the experiments under.
HEADING = "more on numbers"

#: What `jaxgpt compare` compares of an experiment where nothing else is named.
COMPARED = {"which_tokenization_comparison": eight_tokenizations("fixed:4", "fone:3:4")}

_SMALLER = "a smaller one of the numbers"
_OTHER = "none of the numbers"


@dataclasses.dataclass(frozen=True)
class Comparison(Task):
    """Two or more different natural numbers or decimals; the answer is the largest, as it is written.

    The lengths of an integer, of a whole part and of decimal places are drawn uniformly. Half of the
    decimals to be compared have one whole part, so that their places decide. The same numbers in another
    order are always in the same split.
    """

    wrong_kinds = (_SMALLER, _OTHER)

    numbers: Annotated[Literal["integers", "decimals", "both"], "what is compared"] = "both"
    min_count: Annotated[int, "fewest numbers compared"] = 2
    max_count: Annotated[int, "most numbers compared"] = 2
    max_digits: Annotated[int, "longest integer, or whole part of a decimal"] = 4
    max_places: Annotated[int, "most decimal places"] = 3
    trailing_zeros: Annotated[bool, "whether a decimal may end in 0, as 9.50"] = True

    def __post_init__(self):
        check_range("count", self.min_count, self.max_count, least=2)
        for name in ("max_digits", "max_places"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        most = {}  # different integers, and decimals of one whole part
        if self.numbers != "decimals":
            most["max_digits"] = 10**self.max_digits
        if self.numbers != "integers":
            most["max_places"] = 10**self.max_places - (not self.trailing_zeros)
        for name, count in most.items():
            if self.max_count > count:
                raise ValueError(
                    f"max_count={self.max_count} different numbers need more digits than "
                    f"{name}={getattr(self, name)}; raise {name}"
                )

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        decimals, integers = ("9.9?9.11", "7.25?7.3"), ("9?11", "1000?999")
        return {"integers": integers, "decimals": decimals, "both": decimals + integers}[self.numbers]

    def example(self, rng: random.Random) -> Example:
        integers = self.numbers == "integers" or (self.numbers == "both" and rng.random() < 0.5)
        draw = self._integers if integers else self._decimals
        count = rng.randint(self.min_count, self.max_count)
        while len(set(map(Decimal, texts := draw(rng, count)))) < count:
            self._search.missed()
        self._search.found()
        return self._example(texts)

    def forms(self) -> Iterable[str] | None:
        if self.max_digits > 2 or (self.max_places > 2 and self.numbers != "integers"):
            return None
        wholes, kinds = list(map(str, range(10**self.max_digits))), []
        if self.numbers != "decimals":
            kinds.append(wholes)
        if self.numbers != "integers":
            places = [f"{n:0{k}}" for k in range(1, self.max_places + 1) for n in range(10**k)]
            allowed = [rest for rest in places if self.trailing_zeros or rest[-1] != "0"]
            kinds.append([f"{whole}.{rest}" for whole in wholes for rest in allowed])
        counts = range(self.min_count, self.max_count + 1)
        if sum(math.comb(len(texts), count) for texts in kinds for count in counts) > FEW:
            return None
        sets = (itertools.combinations(sorted(texts), count) for texts in kinds for count in counts)
        return (
            "?".join(texts)
            for texts in itertools.chain.from_iterable(sets)
            if len(set(map(Decimal, texts))) == len(texts)
        )

    @functools.cached_property
    def _search(self) -> Search:
        way_out = f"lower task.max_count={self.max_count}, or raise task.max_digits and task.max_places"
        return Search("numbers that all differ", way_out)

    def typed(self, text: str) -> Example:
        numbers = squeezed(text).split("?")
        if len(numbers) < 2 or not all(re.fullmatch(r"[0-9]+(\.[0-9]+)?", n) for n in numbers):
            raise cannot_read(text, self.sample_prompts[0])
        if len(set(map(Decimal, numbers))) < len(numbers):
            raise ValueError(f"{text.strip()!r} compares equal numbers; write different ones")
        return self._example(numbers)

    def diagnose(self, example: Example, completion: str) -> Diagnosis:
        """Where the two largest numbers first differ, and whether a wrong answer is one of the numbers."""
        texts = example.key.split("?")
        largest, next_largest = sorted(texts, key=Decimal)[:-3:-1]
        wrong = "" if completion == example.target else _SMALLER if completion in texts else _OTHER
        return Diagnosis({}, {"decided by": _decided_by(largest, next_largest)}, wrong)

    def _integers(self, rng: random.Random, count: int) -> list[str]:
        return [str(of_digits(rng, rng.randint(1, self.max_digits))) for _ in range(count)]

    def _decimals(self, rng: random.Random, count: int) -> list[str]:
        wholes = self._integers(rng, count)
        if rng.random() < 0.5:
            wholes = [wholes[0]] * count
        places = [rng.randint(1, self.max_places) for _ in range(count)]
        return [f"{whole}.{self._part(rng, n)}" for whole, n in zip(wholes, places, strict=True)]

    def _part(self, rng: random.Random, places: int) -> str:
        """So many decimal places, uniform among those allowed."""
        if self.trailing_zeros:
            return f"{rng.randrange(10**places):0{places}}"
        return f"{10 * rng.randrange(10 ** (places - 1)) + rng.randint(1, 9):0{places}}"

    def _example(self, texts: list[str]) -> Example:
        target = max(texts, key=Decimal)
        decimals = any("." in text for text in texts)
        wrong = max(texts, key=_as_version if decimals else str)
        order = "version order" if decimals else "text order"
        kind = "decimals" if decimals else "integers"
        group = f"{kind}, {order} {'agrees' if wrong == target else 'misleads'}"
        if self.max_count > 2:
            group = f"{str(len(texts)).zfill(len(str(self.max_count)))} {group}"
        return Example("?".join(texts) + "=", target, group, key="?".join(sorted(texts)))


def _decided_by(a: str, b: str) -> str:
    """Where two different numbers first differ, read from the left."""
    (whole_a, _, places_a), (whole_b, _, places_b) = a.partition("."), b.partition(".")
    if len(whole_a) != len(whole_b):
        return "length of the whole part"
    if whole_a != whole_b:
        return "digits of the whole part"
    pairs = itertools.zip_longest(places_a, places_b, fillvalue="0")
    return f"decimal place {next(place for place, (x, y) in enumerate(pairs, 1) if x != y)}"


def _as_version(text: str) -> tuple[int, ...]:
    """The order of version numbers, in which 9.11 comes after 9.9."""
    return tuple(map(int, text.split(".")))


def comparison() -> Experiment:
    """The larger of two integers of up to 4 digits or decimals of up to 3 places."""
    return Experiment(
        task=Comparison(),
        tokenizer="digits",
        model=ModelConfig(num_layers=2, d_model=64, num_heads=4, max_length=32, init_std=None),
        optimizer=AdamW(learning_rate=3e-3, final_fraction=0.01),
        training=TrainingConfig(steps=1500, batch_size=128, eval_every=500, test_examples=2000),
    )


def which_tokenization_comparison() -> Experiment:
    """The larger of two decimals: `jaxgpt compare which-tokenization-comparison` trains it eight ways.

    All of them took 17 minutes on two CPU cores, beside other work.
    """
    base = which_tokenization()
    # A number that is one token has its value alone, so 9.50 would come back as 9.5.
    task = Comparison(numbers="decimals", max_digits=3, max_places=4, trailing_zeros=False)
    # Half as many examples a step as of sums, each seen once: decimals are compared sooner than added.
    training = dataclasses.replace(base.training, steps=1000, batch_size=64, train_examples=64_000)
    return dataclasses.replace(base, task=task, training=training, seeds=6)
