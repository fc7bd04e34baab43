"""Strings drawn before training: whether a rule keeps its own law, and whether its strings are few."""

import random

from jaxgpt.core.wording import quoted
from jaxgpt.task.searching import Search
from tasks.strings.rule import Rule

#: Strings that a rule's own check has to accept.
_CHECKED = 100
#: Draws in a row without a new string that say that there are no more, and different ones that are not few.
_IN_A_ROW, _NOT_FEW = 10_000, 10_000
#: If none of so many draws comes twice, there are too many strings to count them so.
_FIRST = 1000


def check_own(rule: Rule) -> None:
    """Raises ValueError if the rule draws a string that its own check refuses, with the reason."""
    rng = random.Random(0)
    for _ in range(_CHECKED):
        text = rule.sample(rng)
        if (reason := rule.check(text)) is not None:
            raise ValueError(
                f"task.rule={type(rule).kind()}: sample() gives {quoted(text)}, which check() refuses: "
                f"{reason}; make them agree"
            )


def check_enough(rule: Rule, count: int) -> None:
    """Raises ValueError if drawing shows that a rule of unknown size has fewer than `count` strings."""
    rng, found, in_a_row = random.Random(0), set(), 0
    search = Search("different strings of the rule", "lower training.train_examples, or widen task.rule")
    for drawn in range(1, 2**62):
        before = len(found)
        found.add(rule.sample(rng))
        if len(found) >= min(count, _NOT_FEW) or len(found) == drawn == _FIRST:
            return
        if len(found) > before:
            in_a_row = 0
            search.found()
            continue
        in_a_row += 1
        search.missed()
        if in_a_row == _IN_A_ROW:
            raise too_few(len(found), f": {in_a_row:,} drawn one after the other gave no other")


def too_few(size: int, how: str = "") -> ValueError:
    """That a rule has too few strings to train on, and how that is known."""
    return ValueError(
        f"the rule has {size:,} strings{how}, fewer than training.train_examples asks for; set that to "
        f"{size} or less, and training.steps to train longer"
    )
