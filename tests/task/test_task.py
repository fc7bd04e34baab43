"""Splits of a generated task."""

import dataclasses
import itertools

import pytest

from jaxgpt.task import SPLITS, Example, Task


@dataclasses.dataclass(frozen=True)
class Numbers(Task):
    """Numbers below `count`."""

    count: int = 1000

    def example(self, rng):
        return Example(str(rng.randrange(self.count)), "")


def test_examples_keep_to_their_split():
    found = {split: {e.prompt for e in itertools.islice(Numbers().examples(split), 500)} for split in SPLITS}
    assert all(found.values())
    assert not found["train"] & found["test"] and not found["validation"] & found["test"]
    assert not found["train"] & found["validation"]


def test_the_split_is_the_same_in_every_process_and_version():
    """A recorded split: if it changed, old runs would be tested on what they were trained on."""
    splits = [Numbers().split_of(Example(f"{n}=", "")) for n in range(40)]
    assert [n for n, split in enumerate(splits) if split == "test"] == [7, 10, 16, 34]
    assert [n for n, split in enumerate(splits) if split == "validation"] == [4, 12, 23, 30, 33]


@pytest.mark.parametrize(
    ("held_out", "split"),
    [(0.0, "test"), (0.5, "train"), (0.6, "train"), (-0.1, "train"), (float("nan"), "validation")],
)
def test_a_split_that_is_left_nothing_is_an_error_and_no_endless_loop(held_out, split):
    with pytest.raises(ValueError, match=f"task.held_out={held_out} leaves no {split} examples"):
        next(Numbers(held_out=held_out).examples(split))


def test_a_task_with_too_few_examples_is_an_error_and_no_endless_loop():
    with pytest.raises(ValueError, match="none of test: the task has too few"):
        next(Numbers(count=1).examples("test"))


def test_everything_may_be_trained_on():
    assert next(Numbers(held_out=0.0).examples("train")).prompt
