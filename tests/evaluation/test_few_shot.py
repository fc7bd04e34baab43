"""Few-shot prompts: which examples are shown, and that a task stays what it was."""

import dataclasses
import itertools
import random

import pytest

from jaxgpt.evaluation.few_shot import FewShot
from jaxgpt.task import SPLITS, Example


@dataclasses.dataclass(frozen=True)
class Letters(FewShot):
    """`a3:` -> `aaa`; grouped by the letter. Of `z` there is one example alone."""

    letters: str = "abc"

    def example(self, rng: random.Random) -> Example:
        return self.typed(f"{rng.choice(self.letters)}{rng.randrange(1, 40)}")

    def typed(self, text: str) -> Example:
        count = 1 if text[0] == "z" else int(text[1:])
        return Example(f"{text[0]}{count}:", text[0] * count, text[0])


def parts(question):
    """The shots of a question and the question, as (prompt, target) and prompt."""
    *shots, asked = question.prompt.split("\n\n")
    return [tuple(shot.split(":")) for shot in shots], asked


def test_without_shots_nothing_changes():
    task = Letters()
    assert task.prompt("b3") == "b3:"
    assert list(itertools.islice(task.examples("test"), 50)) == list(
        itertools.islice(task.zero_shot_examples("test"), 50)
    )


@pytest.mark.parametrize("shots", [1, 5])
@pytest.mark.parametrize("split", SPLITS)
def test_shots_are_solved_training_examples_of_the_same_group(shots, split):
    plain, task = Letters(), Letters(shots=shots)
    rows = zip(plain.examples(split), task.examples(split), strict=True)
    for before, after in itertools.islice(rows, 60):
        shown, asked = parts(after)
        assert asked == before.prompt and len(set(shown)) == len(shown) == shots
        assert (after.target, after.group, after.canonical) == (before.target, before.group, before.canonical)
        assert task.split_of(after) == plain.split_of(before) == split
        for name, target in shown:
            solved = plain.typed(name)
            assert solved.target == target and solved.group == before.group
            assert plain.split_of(solved) == "train" and solved.canonical != before.canonical


def test_shots_follow_from_their_seed_and_the_question_alone():
    task = Letters(shots=3)
    asked = {parts(q)[1]: q.prompt for q in itertools.islice(task.questions("test"), 40)}
    again = {parts(q)[1]: q.prompt for q in itertools.islice(task.questions("test", seed=7), 40)}
    assert len(asked.keys() & again.keys()) > 5
    assert all(asked.get(name, prompt) == prompt for name, prompt in again.items())
    assert {task.prompt(name[:-1]) for name in asked} == set(asked.values())
    changed = Letters(shots=3, shots_seed=1)
    assert sum(changed.prompt(name[:-1]) != prompt for name, prompt in asked.items()) >= len(asked) - 2


def test_too_few_examples_and_negative_shots_are_errors():
    with pytest.raises(ValueError, match=r"shots=1: only 0 training examples of group 'z' .* 'z1:'; lower"):
        Letters(shots=1, letters="abz").prompt("z1")
    with pytest.raises(ValueError, match="shots=-1 must not be negative"):
        Letters(shots=-1)
