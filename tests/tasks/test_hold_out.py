"""Questions of a file that are kept out of training, whatever the split."""

import dataclasses
import itertools

import pytest
from variants import seldom

from jaxgpt.task import SPLITS, Task
from tasks.arithmetic.task import Arithmetic
from tasks.base_conversion import BaseConversion
from tasks.comparison import Comparison
from tasks.fractions import Fractions
from tasks.gcd import Gcd
from tasks.gpt3_arithmetic.task import Gpt3Arithmetic
from tasks.magic_squares.task import MagicSquares
from tasks.matrices import Matrices
from tasks.misspelled import Misspelled, misspelled_text
from tasks.modular import Modular
from tasks.scrambled import Scrambled, scrambled_sentence
from tasks.sentence_pairs import SentencePairs
from tasks.sorting import Sorting
from tasks.synopses import Synopses
from tasks.text import Text
from tasks.truecasing import Truecasing

TASKS = {
    "arithmetic": (
        Arithmetic,
        {"max_digits": 1},
        ["3+4", "Q: What is 9 plus 5?\\n\\nA:", "$8+2=", "0 + 0 ="],
    ),
    "gpt3": (
        Gpt3Arithmetic,
        {"subtasks": ("arithmetic_2da",)},
        ["Q: What is 4 plus 5?\\n\\nA:", "71 plus 12", "$48+76="],
    ),
    "base": (BaseConversion, {}, [str(number) for number in range(10, 40)]),
    "comparison": (Comparison, {"numbers": "integers", "max_digits": 1}, ["4?5", "7?2", "9?8"]),
    "fractions": (Fractions, {"operation": "simplification", "max_term": 9}, ["4/6", "2/3", "3/9"]),
    "gcd": (Gcd, {"max_operand": 100, "max_outcome": 1}, ["3,4", "5,4", "1,7"]),
    "matrices": (Matrices, {"operation": "trace", "max_entry": 1}, ["[[1]]"]),
    "modular": (Modular, {"modulus": 7}, ["3+4", "1+1", "6+5"]),
    "sorting": (Sorting, {"max_items": 2, "max_digits": 1}, ["4,5", "7,2", "9,8"]),
    "squares": (MagicSquares, {}, ["59", "89", "149"]),
}


@pytest.mark.parametrize("name", seldom(TASKS, ("comparison", "base", "gcd", "matrices", "fractions")))
def test_no_question_of_the_file_is_trained_on(name, tmp_path):
    kind, fields, lines = TASKS[name]
    if name == "matrices":
        lines = list(kind(**fields).sample_prompts)
    file = tmp_path / "theirs.tsv"
    file.write_text("".join(f"{line}\tanything\n" for line in lines))
    task, free = kind(**fields, hold_out=str(file)), kind(**fields)
    held = {free.typed(line.replace("\\n", "\n")).canonical for line in lines}
    drawn = {split: list(itertools.islice(task.examples(split), 2000)) for split in ("train", "validation")}
    assert all(drawn.values())
    for examples in drawn.values():
        assert not held & {example.canonical for example in examples}
    assert {task.split_of(task.typed(line)) for line in map(_as_read, lines)} == {"test"}


def test_what_is_asked_of_each_divisor_is_kept_out_too(tmp_path):
    (tmp_path / "theirs").write_text("3,4\n")
    task = Gcd(max_operand=100, max_outcome=1, hold_out=str(tmp_path / "theirs"))
    asked = {question.canonical for question in itertools.islice(task.questions("train"), 10_000)}
    assert len(asked) > 1000 and "3 4" not in asked


def _as_read(line):
    return line.replace("\\n", "\n")


def test_the_same_questions_are_of_training_without_the_file():
    kind, fields, lines = TASKS["base"]
    assert {kind(**fields).split_of(kind(**fields).typed(line)) for line in lines} == set(SPLITS)


@pytest.mark.parametrize(
    "text",
    [
        "3+4\n5+5\n",
        '{"question": "3+4"}\n{"question": "5 plus 5"}\n',
        '[{"prompt": "3+4"}, {"prompt": "5+5"}]',
    ],
)
def test_every_form_of_a_file_is_read(tmp_path, text):
    (tmp_path / "q").write_text(text)
    assert Arithmetic(hold_out=str(tmp_path / "q")).kept_out == {"3+4", "5+5"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3+4\nwhat?\n", "line 2: cannot read 'what?' as a question; write one such as"),
        ('{"a": "3+4"}', "line 1 has none of the keys prompt, question"),
        ('{"question": 3.5}', "line 1: 'question' is '3.5'; write it as text"),
        ("", "is empty"),
        ("[]", "is an empty array"),
    ],
)
def test_what_cannot_be_kept_out_is_refused_before_training(tmp_path, text, message):
    file = tmp_path / ("q.json" if text == "[]" else "q")
    file.write_text(text)
    with pytest.raises(ValueError) as error:
        next(Arithmetic(hold_out=str(file)).examples("train"))
    assert str(error.value).startswith(str(file)) and message in str(error.value)
    assert "\n" not in str(error.value) and len(str(error.value)) <= 300


@pytest.mark.parametrize("kind", [Text])
def test_a_text_has_no_questions_to_keep_out(kind):
    with pytest.raises(ValueError, match="hold_out is for questions"):
        kind(hold_out="q.tsv")


def test_documents_can_be_kept_out(tmp_path):
    documents = [f"Document {word} tells of a harbour and a lighthouse." for word in "abcdefghij"]
    (tmp_path / "all.csv").write_text("text\n" + "\n".join(documents))
    (tmp_path / "held.txt").write_text("\n".join(documents[:5]))
    options = {"path": str(tmp_path / "all.csv"), "rules": (), "held_out": 0.01}
    task = Synopses(**options, hold_out=str(tmp_path / "held.txt"))
    assert {e.target for e in task.examples("test")} >= set(documents[:5])
    assert not {e.target for e in task.examples("train")} & set(documents[:5])


def test_documents_are_kept_out_as_they_are_cleaned(tmp_path):
    """By the default rules, which take the source off and make one space of several."""
    tells = "tells " + "of a harbour " * 20
    lines = [f"Document {word}  {tells}(Source: Wikipedia)" for word in "abcdefghij"]
    (tmp_path / "all.csv").write_text("text\n" + "\n".join(lines))
    (tmp_path / "held.txt").write_text("\n".join([*lines[:5], "too short for the rules"]))
    task = Synopses(path=str(tmp_path / "all.csv"), held_out=0.01, hold_out=str(tmp_path / "held.txt"))
    held = {f"Document {word} {tells.strip()}" for word in "abcde"}
    assert task.kept_out == held
    assert {e.target for e in task.examples("test")} >= held
    assert not {e.target for e in task.examples("train")} & held


_LINES = [
    "The Tide comes in again. Nobody knows why. It goes out for long hours.",
    "We Stood there in the cold rain. She said nothing of it. He went home.",
    "A bird sings in the old tree. The rest of us Listen. No one moves or speaks.",
] * 3 + [f"The number {i} is Large. It has {i} friends in town. They all live far away." for i in range(40)]
_RAIN = _LINES[1]


@pytest.mark.parametrize(
    ("kind", "held", "left_out"),
    [
        (Truecasing, _LINES[0], ["the tide comes", "in again. nobody", "knows why. it"]),
        (Truecasing, "Again, THE tide comes In again. Nobody", ["the tide comes", "in again. nobody"]),
        (Truecasing, "knows why.", ["knows why. it"]),  # two of its three words
        (Misspelled, _LINES[0], ["The Tide comes", "in again. Nobody", "knows why. It"]),
        (Misspelled, misspelled_text("The number 7", 1.0), ["The number 7"]),  # the question itself
        (Scrambled, "She said nothing of it.", [_RAIN]),
        (Scrambled, scrambled_sentence("She said nothing of it.", "neighbours"), [_RAIN]),
        (SentencePairs, "Nobody knows why.", [_LINES[0]]),
        (SentencePairs, "The rest of us Listen. No one moves or speaks.", [_LINES[2]]),
        (SentencePairs, "Nobody knows why.\\tHe went home.", [_LINES[0], _RAIN]),  # of two paragraphs
    ],
)
def test_a_line_holds_out_every_example_that_is_cut_from_it(kind, held, left_out, tmp_path):
    (tmp_path / "text.txt").write_text("\n\n".join(_LINES))
    (tmp_path / "held.txt").write_text(held + "\n")
    fields = {Truecasing: {"words": 3}, Misspelled: {"words": 3, "share": 1.0}}.get(kind, {})
    # So little is held out by its hash that all of it is in training without the file.
    free = kind(path=str(tmp_path / "text.txt"), held_out=0.05, **fields)
    task = dataclasses.replace(free, hold_out=str(tmp_path / "held.txt"))
    known = {example.canonical for example in free.examples("train")}
    assert set(left_out) <= known
    assert set(left_out) <= {example.canonical for example in task.examples("test")}
    trained = {example.canonical for example in task.examples("train")}
    assert not set(left_out) & trained and len(trained) >= len(known) - 6


@pytest.mark.parametrize("kind", [Truecasing, Misspelled, Scrambled, SentencePairs])
def test_a_line_without_a_word_is_told(kind, tmp_path):
    (tmp_path / "text.txt").write_text("\n\n".join(_LINES))
    (tmp_path / "held.txt").write_text("Nobody knows why.\tyes\n\tyes\n")
    task = kind(path=str(tmp_path / "text.txt"), hold_out=str(tmp_path / "held.txt"))
    with pytest.raises(ValueError, match=r"held\.txt.*line 2: there is no (word|sentence)"):
        list(task.examples("train"))


def test_base_classes_are_no_tasks():
    assert "corpus" not in Task.names()
