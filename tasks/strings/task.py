"""Strings that keep a rule: a task whose rule is a member of a family of its own."""

import collections
import dataclasses
import functools
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal

from jaxgpt.core.wording import quoted
from jaxgpt.task import Diagnosis, Example, Share, Split, Task
from jaxgpt.task.attended import Attended
from tasks.numbers import cannot_read
from tasks.strings.rule import MOST_LISTED, Rule
from tasks.strings.rules.equal import Equal
from tasks.strings.trial import check_enough, check_own, too_few
from tasks.strings.writing_order import FARTHEST, EndsFirst, Forward, Turned, TurnedCounted

#: Strings whose attention is averaged, and draws in which as many of one length are looked for.
_ATTENDED, _DRAWN = 256, 20_000


@dataclasses.dataclass(frozen=True)
class Strings(Task):
    """Strings that keep a rule, which the model is never told.

    A model writes strings from nothing at temperature 1, and a string is right if it keeps the rule. Where
    the rule asks, it is given the beginning of a string and writes the rest, most likely token by token.

    What it has written in another `order` is put back before anything is counted or shown.

    The hash of a string, or of what is given of it, decides its split, whatever the order.
    """

    rule: Annotated[Rule, "what the strings have in common"] = dataclasses.field(default_factory=Equal)
    extra_lengths: Annotated[
        tuple[int, ...], "questions of these lengths are asked besides, where the rule asks"
    ] = ()
    order: Annotated[
        Literal["forward", "ends_first", "turned", "turned_counted"],
        "in which symbols are written: as they stand; the first, the last, the second, the last but one; "
        "the first task.turn, then the others from the last one back; or so, and those of the first that are "
        "among the last task.turn, too, tell their place from the end",
    ] = "forward"
    turn: Annotated[int, "symbols that order=turned and turned_counted write as they stand"] = 0

    empty_shares = {"rule kept, of new strings": "every written string is in the training set"}

    def __post_init__(self):
        if self.rule.asks and self.order != "forward":
            raise ValueError(
                f"order={self.order}: rule={type(self.rule).kind()} asks questions, which stand before their "
                "answers; leave it (--task.order forward)"
            )
        if (self.turn > 0) != self.order.startswith("turned") or self.turn < 0:
            raise ValueError(
                f"turn={self.turn} does not go with order={self.order}: turned and turned_counted need at "
                "least 1, the others 0"
            )
        if self.order == "turned_counted" and self.turn > FARTHEST:
            raise ValueError(f"turn={self.turn}: order=turned_counted tells at most {FARTHEST:,} places")
        if self.extra_lengths and not self.rule.asks:
            raise ValueError(
                f"extra_lengths={self.extra_lengths}: rule={type(self.rule).kind()} asks no questions; "
                'leave it empty (--task.extra-lengths "")'
            )
        for length in self.extra_lengths:
            try:
                self.rule.of_length(length)
            except ValueError as error:
                raise ValueError(f"extra_lengths={self.extra_lengths}: {error}") from error
            symbols = self.rule.fitting(length)
            if self.rule.fitting(self.rule.shortest) <= symbols <= self.rule.fitting(self.rule.longest):
                of = f"length {length}" if symbols == length else f"length {length}, of {symbols} symbols,"
                raise ValueError(
                    f"extra_lengths={self.extra_lengths}: questions of {of} are trained on; give lengths "
                    f"whose questions have more symbols than rule.longest={self.rule.longest}"
                )

    @property
    def temperature(self) -> float:
        return 0.0 if self.rule.asks else 1.0

    @property
    def from_nothing(self) -> bool:
        return not self.rule.asks

    @property
    def wrong_kinds(self) -> tuple[str, ...]:
        return self.rule.reasons

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        if not self.rule.asks:
            return ("",)
        return tuple(self.example(random.Random(seed)).prompt for seed in range(3))

    def notes(self) -> str:
        """The rule, what chance gives, the smallest loss that there can be, and the number of strings."""
        chance, floor, size = self.rule.chance(), self.rule.floor(), self._size
        said = [f"rule        {self.rule.explanation()}"]
        if chance is not None:
            answers = "random answers of the right length are right"
            of = answers if self.rule.asks else "strings of as many random symbols keep it"
            said.append(f"chance      {100 * chance:.3g} % of {of}")
        if floor is not None:
            about = "" if floor.exact else "about "
            without = "" if floor.without is None else f"; {floor.without:.4f} without the rule"
            said.append(f"least loss  {about}{floor.loss:.4f} nats a token{without}")
        if self._order.words:
            said.append(f"order       {self._order.words}")
        if size is not None and size < 10**6:
            said.append(f"strings     {size:,} keep the rule")
        return "\n".join(said)

    def example(self, rng: random.Random) -> Example:
        return self._cut(self.rule, self.rule.sample(rng))

    def forms(self) -> Iterable[str] | None:
        texts = self.rule.every()
        return None if texts is None else (self._cut(self.rule, text).canonical for text in texts)

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Strings of the split, each drawn anew: one may come twice.

        Of training strings there are as many as the rule has different ones, where that is known.

        Raises:
          ValueError: as `Task.examples`.
        """
        drawn = super().examples(split, seed)
        if split != "train" or self._size is None:
            return drawn
        return itertools.islice(drawn, min(self._size, 2**62))

    def check_training(self, count: int) -> None:
        """As `Task.check_training`.

        Raises:
          ValueError: for more training strings than there are different ones, and for a rule that refuses
            its own strings.
        """
        for rule in (self.rule, *map(self.rule.of_length, self.extra_lengths)):
            check_own(rule)
        if self._size is None:
            check_enough(self.rule, count)
        elif count > self._size:
            raise too_few(self._size)

    def extra_questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Questions of `extra_lengths` in turn."""
        rng = random.Random(f"{seed} {split}")
        rules = [(length, self.rule.of_length(length)) for length in self.extra_lengths]
        while rules:
            for length, rule in rules:
                yield self._cut(rule, rule.sample(rng), f"length {length}")

    def attended(self, seed: int = 0) -> Attended | None:
        """Up to 256 strings of one length, the most frequent of the middle half; None if the rule asks."""
        if self.rule.asks:
            return None
        texts = tuple(_of_one_length(self.rule, random.Random(seed)))
        first = self.rule.first_place()
        if self.order == "forward":
            return Attended(texts, self.rule.board(), first)
        # A board that is not written row after row has no picture of its own.
        names = self._order.names(len(texts[0]), first)
        return Attended(tuple(map(self._order.write, texts)), first=first, names=names)

    def typed(self, text: str) -> Example:
        """A string, or what is given of it.

        Raises:
          ValueError: of a rule that asks, if no question stands in the text.
        """
        if self.order != "forward":
            return self._cut(self.rule, text)
        if not self.rule.asks:
            return super().typed(text)
        if not (at := self.rule.given(text)):
            raise cannot_read(text, self.example(random.Random(0)).prompt)
        return Example(text[:at], "")

    def prompt(self, text: str) -> str:
        """What a string begins with, as it stands.

        Raises:
          ValueError: if it is not empty, and strings are written in another order.
        """
        if text and self.order != "forward":
            raise ValueError(
                f"task.order={self.order}: {quoted(text)} is no beginning of a string that is written in "
                "another order; leave the prompt empty"
            )
        return text

    def answer(self, prompt: str, completion: str) -> str:
        """What was written, put back into a string."""
        return self._order.read(completion)

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """`exact_match`: the string keeps the rule."""
        text = self._order.read(example.prompt + completion)
        return {"exact_match": float(self._rule_of(example).check(text) is None)}

    def diagnose(self, example: Example, completion: str) -> Diagnosis:
        """Which parts are right, and why the string breaks the rule."""
        rule, text = self._rule_of(example), self._order.read(example.prompt + completion)
        return Diagnosis(dict(rule.parts(text)), {}, rule.check(text) or "")

    def summary(self, samples: list[tuple[Example, str]], training: Sequence[Example]) -> dict[str, Share]:
        """Of strings from nothing: the share that is new, how many of these keep the rule, and repeats."""
        if self.rule.asks:
            return {}
        texts = [self._order.read(text) for _, text in samples]
        trained = {self._order.read(example.target) for example in training}
        new = [text for text in texts if text not in trained]
        kept = sum(self.rule.check(text) is None for text in new)
        return {
            "rule kept, of new strings": Share(kept / len(new) if new else 0.0, len(new)),
            "new strings": Share(len(new) / max(len(texts), 1), len(texts)),
            "repeated": Share((len(texts) - len(set(texts))) / max(len(texts), 1), len(texts)),
        }

    def yardsticks(self) -> dict[str, float]:
        """Exact match by chance, and the least losses, as far as they are known of the rule."""
        chance, floor = self.rule.chance(), self.rule.floor()
        found = {} if chance is None else {"exact match by chance": chance}
        if floor is not None:
            found["least loss" if floor.exact else "least loss, estimated"] = floor.loss
            if floor.without is not None:
                found["least loss without the rule"] = floor.without
        return found

    def _rule_of(self, example: Example) -> Rule:
        """The rule, of the length that a question is of."""
        length = example.group.removeprefix("length ")
        return self.rule.of_length(int(length)) if length != example.group else self.rule

    def _cut(self, rule: Rule, text: str, group: str = "") -> Example:
        if self.order != "forward":
            return Example("", self._order.write(text), group, key=text)
        at = rule.given(text) if rule.asks else 0
        return Example(text[:at], text[at:], group)

    @functools.cached_property
    def _order(self) -> Forward:
        orders = {
            "forward": Forward(),
            "ends_first": EndsFirst(),
            "turned": Turned(self.turn),
            "turned_counted": TurnedCounted(self.turn),
        }
        return orders[self.order]

    @functools.cached_property
    def _size(self) -> int | None:
        """How many strings keep the rule: as it says, or as many as it lists; None where it does neither."""
        size, texts = self.rule.size(), None
        if size is None:
            texts = self.rule.every()
        if texts is None:
            return size
        found = len(set(itertools.islice(texts, MOST_LISTED + 1)))
        return found if found <= MOST_LISTED else None


def _of_one_length(rule: Rule, rng: random.Random) -> list[str]:
    drawn = [rule.to_look_at(rng) for _ in range(1000)]
    middle = sorted(map(len, drawn))[250:750]
    ((length, _),) = collections.Counter(middle).most_common(1)
    try:
        rule = rule.of_length(length)
    except ValueError:  # drawn as they come, and those of the length kept
        pass
    else:
        drawn = []
    more = (rule.to_look_at(rng) for _ in range(_DRAWN))
    fitting = (text for text in itertools.chain(drawn, more) if len(text) == length)
    return list(itertools.islice(fitting, _ATTENDED))
