"""Learning in context: a rule that the prompt shows and never names, another one in each prompt.

With `rules=maps` a prompt is pairs of digits x y with y = a x + b mod 10, and the x that is asked:

    37 51 01 8      asks for 7, since here y = 2 x + 1 mod 10

With `rules=words` it is words and what one relation makes of them:

    bado>o ken>n risu>      asks for u, the last letter

The numbers a and b, or the relation, are drawn anew for each prompt, so that the weights can know the kind of
rule and no more. GPT-3 is asked so (Brown et al. 2020, arXiv 2005.14165, figure 1.2), with tasks that its
text may have taught it.
"""

import abc
import dataclasses
import itertools
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from jaxgpt.models.config import ModelConfig
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.task import Example, Split, Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.numbers import FEW

#: What `--list` groups the experiments under.
HEADING = "more on numbers"

#: What relations make of a word.
RELATIONS: Mapping[str, Callable[[str], str]] = {
    "first letter": lambda word: word[0],
    "last letter": lambda word: word[-1],
    "vowels": lambda word: "".join(c for c in word if c in "aeiou"),
    "consonants": lambda word: "".join(c for c in word if c not in "aeiou"),
    "reversed": lambda word: word[::-1],
    "upper case": str.upper,
}


class Rules(abc.ABC):
    """A finite family of rules, all equally likely.

    Attributes:
      between: stands between a thing and what a rule makes of it.
      pair: matches both, as two groups.
      rules: by their names.
    """

    between: str
    pair: str
    rules: Mapping[str, Callable[[str], str]]

    @abc.abstractmethod
    def draw(self, rng: random.Random) -> str:
        """One thing that a rule is applied to."""

    def chances(self, shown: Sequence[tuple[str, str]], asked: str) -> dict[str, float]:
        """How likely each answer is to one who knows the family and has seen some pairs: Bayes' rule.

        Raises:
          ValueError: if no rule makes these pairs.
        """
        fits = [rule for rule in self.rules.values() if all(rule(x) == y for x, y in shown)]
        if not fits:
            told = " ".join(f"{x}{self.between}{y}" for x, y in shown)
            raise ValueError(f"no rule makes all of these pairs: {told}")
        count = Counter(rule(asked) for rule in fits)
        return {answer: number / len(fits) for answer, number in count.items()}


class Maps(Rules):
    """The 100 maps x -> a x + b of the digits mod 10."""

    between, pair = "", r"([0-9])([0-9])"

    def __init__(self):
        numbers = itertools.product(range(10), repeat=2)
        self.rules = {f"{a} x + {b}": lambda x, a=a, b=b: str((a * int(x) + b) % 10) for a, b in numbers}

    def draw(self, rng):
        return str(rng.randrange(10))


class Words(Rules):
    """`RELATIONS` of words of 3 or 4 letters, consonants and vowels by turns."""

    between, pair, rules = ">", r"([a-z]+)>([A-Za-z]+)", RELATIONS

    def draw(self, rng):
        return "".join(rng.choice(_LETTERS[place % 2]) for place in range(rng.choice((3, 4))))


_LETTERS = ("bdfgklmnprst", "aeiou")
FAMILIES: Mapping[str, Rules] = {"maps": Maps(), "words": Words()}


@dataclasses.dataclass(frozen=True)
class InContext(Task):
    """Pairs that a hidden rule makes, and one more whose second half is asked.

    A row of training shows `shots` pairs before the one that is asked, and where all tokens carry loss each
    of them is learned from. A question is the end of a row that was held out as a whole, with as many pairs
    as `asked` says, by turns. Where these are few, the end of a training row may read the same: what is
    measured is how much of the answer is taken from the prompt.
    """

    rules: Annotated[Literal["maps", "words"], "a x + b mod 10 of digits, or relations of words"] = "maps"
    shots: Annotated[int, "pairs shown in a row of training"] = 16
    asked: Annotated[tuple[int, ...], "pairs shown in a question, by turns"] = (0, 1, 2, 4, 8, 16)

    split_fields: ClassVar[tuple[str, ...]] = ("held_out", "hold_out", "rules", "shots")

    def __post_init__(self):
        if not 1 <= self.shots <= 1000:
            raise ValueError(f"shots={self.shots} must be between 1 and 1000")
        if not self.asked or min(self.asked) < 0 or max(self.asked) > self.shots:
            raise ValueError(f"asked={self.asked} must be numbers between 0 and shots={self.shots}")

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        return ("37 51 01 8", "37 51 0") if self.rules == "maps" else ("bado>o ken>n risu>", "bado>b risu>")

    @property
    def family(self) -> Rules:
        """The rules that are drawn from."""
        return FAMILIES[self.rules]

    def example(self, rng: random.Random) -> Example:
        family = self.family
        rule = family.rules[rng.choice(tuple(family.rules))]
        things = [family.draw(rng) for _ in range(self.shots + 1)]
        return self._written([(thing, rule(thing)) for thing in things])

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The ends of held-out rows, with each number of pairs by turns."""
        for row, count in zip(self.examples(split, seed), itertools.cycle(self.asked), strict=False):
            shown, asked = self.read(row.prompt)
            yield self._written([*shown[len(shown) - count :], (asked, row.target)], key=row.canonical)

    def read(self, prompt: str) -> tuple[list[tuple[str, str]], str]:
        """The pairs that a prompt shows, and what it asks.

        Raises:
          ValueError: for a text that is no prompt of this task.
        """
        *shown, asked = prompt.split() or [""]
        pairs = [re.fullmatch(self.family.pair, part) for part in shown]
        # What is asked lacks its other half, for which a digit stands in, or a letter.
        stand_in = "0" if self.rules == "maps" else "a"
        last = re.fullmatch(self.family.pair, asked + stand_in)
        if last is None or last[2] != stand_in or None in pairs:
            raise ValueError(
                f"cannot read {prompt!r} as a prompt; write one such as {self.sample_prompts[0]}"
            )
        return [match.groups() for match in pairs], last[1]

    def forms(self) -> Iterable[str] | None:
        if self.rules != "maps" or 10 ** (self.shots + 3) > FEW:
            return None
        rules, digits = self.family.rules.values(), itertools.product("0123456789", repeat=self.shots + 1)
        rows = ([(x, rule(x)) for x in row] for row in digits for rule in rules)
        return dict.fromkeys(self._written(row).prompt for row in rows)

    def held_forms(self, text: str) -> Iterable[str]:
        """The row that a question is the whole of.

        Raises:
          ValueError: if it shows another number of pairs than rows have, of which it could be any part.
        """
        if (count := len(self.read(text)[0])) != self.shots:
            raise ValueError(
                f"a question of {count} pairs cannot be kept out of rows of {self.shots}: write all pairs of "
                f"a row, or set task.shots={count}"
            )
        return super().held_forms(text)

    def typed(self, text: str) -> Example:
        shown, asked = self.read(text)
        self.family.chances(shown, asked)  # raises where no rule makes the pairs
        return self._written([*shown, (asked, "")])

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """Whether the answer is right, which ends at a space, and how often it can be.

        `best possible` is the chance of the likeliest answer given the pairs. `by looking up` is 1 where what
        is asked was shown, and else the chance of the likeliest answer without any pairs.
        """
        shown, asked = self.read(example.prompt)
        first = max(self.family.chances((), asked).values())
        return {
            "exact_match": float(completion.partition(" ")[0] == example.target),
            "best possible": max(self.family.chances(shown, asked).values()),
            "by looking up": 1.0 if asked in dict(shown) else first,
        }

    def _written(self, pairs: list[tuple[str, str]], key: str = "") -> Example:
        between, count = self.family.between, len(pairs) - 1
        *shown, (asked, target) = pairs
        prompt = "".join(f"{x}{between}{y} " for x, y in shown) + asked + between
        return Example(prompt, target, group="1 shot" if count == 1 else f"{count} shots", key=key)


def in_context() -> Experiment:
    """Maps a x + b mod 10 that the prompt shows by examples, with 0 to 16 of them.

    Takes 1 min on two CPU cores.
    """
    return Experiment(
        task=InContext(),
        tokenizer="characters",
        model=ModelConfig(num_layers=4, d_model=64, num_heads=4, max_length=64, init_std=None),
        objective=NextToken(tokens="all"),
        optimizer=AdamW(learning_rate=2e-3, schedule="cosine", warmup_steps=100, final_fraction=0.1),
        training=TrainingConfig(
            steps=600, batch_size=64, train_examples=40_000, eval_every=0, test_examples=1500
        ),
    )


def in_context_words() -> Experiment:
    """Relations of words, such as the last letter, that the prompt shows by 0 to 16 examples.

    Takes 1 min on two CPU cores.
    """
    base = in_context()
    task = dataclasses.replace(base.task, rules="words", shots=8, asked=(0, 1, 2, 4, 8))
    return dataclasses.replace(base, task=task, model=dataclasses.replace(base.model, max_length=96))
