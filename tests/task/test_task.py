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


@dataclasses.dataclass(frozen=True)
class Anagrams(Task):
    """Three digits, of which each order has one key; `typed` does not give it."""

    def example(self, rng):
        return self.of_digits("".join(rng.choice("0123456789") for _ in range(3)))

    def of_digits(self, digits):
        return Example(f"{digits}=", "", key="".join(sorted(digits)))

    def prompt(self, text):
        return f"{text}="


@dataclasses.dataclass(frozen=True)
class TypedAnagrams(Anagrams):
    """The same, and `typed` gives the key."""

    def typed(self, text):
        return self.of_digits(text)


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


def test_a_key_that_is_not_typed_is_refused_where_questions_are_kept_out(tmp_path):
    (tmp_path / "held").write_text("310\n")
    with pytest.raises(ValueError, match=r"task\.hold_out=.* Anagrams splits by .* define typed") as error:
        next(Anagrams(hold_out=str(tmp_path / "held")).examples("train"))
    assert "\n" not in str(error.value)
    assert next(Anagrams().examples("train")).key
    task = TypedAnagrams(hold_out=str(tmp_path / "held"))
    assert task.split_of(task.of_digits("103")) == "test"
    trained = {example.key for example in itertools.islice(task.examples("train"), 2000)}
    assert trained and "013" not in trained
    assert "013" in {example.key for example in itertools.islice(TypedAnagrams().examples("train"), 2000)}
