"""Held-out questions are asked from all over a finite set, in an order that the seed alone decides."""

import dataclasses
import itertools

import pytest
from tiny_runs import tiny, with_training

from jaxgpt.evaluation.questions import select
from jaxgpt.task import Task
from jaxgpt.training.prepare import training_examples
from tasks.pairs import Pairs
from tasks.sentence_pairs import SentencePairs
from tasks.synopses import Synopses
from tasks.text import Text

LINES = 3000


def task_of(kind: str, folder) -> Task:
    """A task over a sorted file, in which every question tells its place."""
    path = folder / f"{kind}.txt"
    if kind == "pairs":
        path.write_text("".join(f"{i}+0=\t{i}\n" for i in range(LINES)))
        return Pairs(path=str(path), shots=2)
    if kind == "sentence_pairs":
        path.write_text("\n\n".join(f"Here is {i}. And this is {i} again." for i in range(LINES)))
        return SentencePairs(path=str(path))
    path.write_text("\n\n".join(f"the line with the number {i} ends with the word {i}" for i in range(LINES)))
    if kind == "synopses":
        return Synopses(path=str(path), rules=(), min_characters=0)
    return Text(path=str(path), split_by="tail" if kind == "tail" else "blocks", block_characters=200)


def place(example) -> int:
    """The largest number in what is asked and answered, which is a line's."""
    text = example.prompt.rsplit("\n", 1)[-1] + example.target
    return max(int(word) for word in "".join(c if c.isdigit() else " " for c in text).split())


KINDS = ["pairs", "sentence_pairs", "synopses", "text", "tail"]


@pytest.mark.parametrize("split", ["test", "validation"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_first_questions_are_from_all_over_the_file(kind, split, tmp_path):
    task = task_of(kind, tmp_path)
    if kind == "tail" and split == "test":
        split = "validation"  # they are one text there
    whole = [place(example) for example in task.questions(split)]
    asked = [place(q.example) for q in select(task, split, n=40, n_extra=0, data_seed=0)]
    assert len(whole) > 100 and len(asked) == 40
    low, high = min(whole), max(whole)
    middle = sum(asked) / len(asked)
    assert abs(middle - (low + high) / 2) < 0.2 * (high - low)
    assert asked != sorted(asked)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_follows_from_the_seed(kind, tmp_path):
    task = task_of(kind, tmp_path)
    first, again, other = ([place(e) for e in task.questions("validation", seed)] for seed in (0, 0, 1))
    assert first == again != other
    assert kind == "sentence_pairs" or sorted(first) == sorted(other)  # whose pairs are drawn by the seed


def test_training_examples_keep_the_order_of_the_file(tmp_path):
    """A run that goes on finds the rows where they were."""
    experiment = dataclasses.replace(tiny(), task=task_of("pairs", tmp_path))
    places = [place(e) for e in training_examples(experiment, "train", 1)]
    assert places == sorted(places) and len(places) > 2000
    held_out = [place(e) for e in training_examples(experiment, "validation", 40)]
    assert held_out != sorted(held_out) and sum(held_out) / 40 > LINES / 4


def test_some_examples_are_drawn_by_the_seed_of_the_data(tmp_path):
    experiment = dataclasses.replace(tiny(training__at_most=50), task=task_of("pairs", tmp_path))
    every = training_examples(with_training(experiment, at_most=None), "train", 1)
    found = training_examples(experiment, "train", 1)
    assert len(set(found)) == 50 and set(found) < set(every)
    assert found == training_examples(experiment, "train", 1)
    assert found[:20] == training_examples(with_training(experiment, at_most=20), "train", 1)
    assert set(found) != set(training_examples(with_training(experiment, data_seed=1), "train", 1))
    with pytest.raises(ValueError, match=r"training\.at_most=50 is for finite sets .* set training\.tr"):
        training_examples(tiny(training__at_most=50), "train", 1)
    with pytest.raises(ValueError, match=r"task=text is a text: set it to none"):
        training_examples(dataclasses.replace(experiment, task=task_of("text", tmp_path)), "train", 1)
    with pytest.raises(ValueError, match="at_most=0 must be at least 1, or none"):
        tiny(training__at_most=0)


def test_generated_tasks_are_as_they_were():
    task = tiny().task
    asked = [q.example for q in select(task, "test", n=5, n_extra=0, data_seed=0)]
    assert asked == list(dict.fromkeys(itertools.islice(task.questions("test", 0), 50)))[:5]
