"""Strings that keep a rule which the model is never told, after A. Z. Wagner's lecture on makemore.

With the rule `Equal(pairs=("13=22",), index_base=1)` the strings are random but for one thing, that their
13th and 22nd symbols are equal:

    101101011010110010110101100101101

A model writes strings from nothing. The share of them that keep the rule says whether it has found it.

    python train.py equal-places
    python train.py equal-places --task.rule.pairs 3=-3 --task.rule.index-base 0

Rules that ask give a question, and the model writes the answer. They are tasks of three papers, see
`tasks/strings/asking.py`, `selective_copying` and `recall`.

    python train.py string-questions --task.rule reversal
"""

from tasks.strings.experiments import (
    board,
    equal_places,
    equal_places_long,
    equal_places_quick,
    few_fibonacci,
    fibonacci,
    fibonacci_lecture,
    fibonacci_relabelled,
    fibonacci_reversed,
    odd_fibonacci,
    one_mark,
    two_marks,
)
from tasks.strings.question_experiments import string_questions
from tasks.strings.rule import Floor, Rule
from tasks.strings.task import Strings

__all__ = [
    "Floor",
    "Rule",
    "Strings",
    "board",
    "equal_places",
    "equal_places_long",
    "equal_places_quick",
    "few_fibonacci",
    "fibonacci",
    "fibonacci_lecture",
    "fibonacci_relabelled",
    "fibonacci_reversed",
    "odd_fibonacci",
    "one_mark",
    "string_questions",
    "two_marks",
]

#: What `--list` groups the experiments under.
HEADING = "strings and their rules"
