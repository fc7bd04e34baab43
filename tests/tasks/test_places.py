"""An example that is too long for the model is named with its line."""

import re

import pytest

from jaxgpt.core import fields
from jaxgpt.runs import experiments
from jaxgpt.task import Example
from jaxgpt.training.prepare import prepare
from tasks.corpus.places import place_in
from tasks.pairs import Pairs


def test_the_first_line_that_holds_the_beginning(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("one\nTwo  words here\nand two words here again\n")
    files = [str(path)]
    assert place_in(files, "two words") == f"{path}: line 2"
    assert place_in(files, "two words here again") == f"{path}: line 3"
    assert place_in(files, "three") == "" == place_in(files, "")
    assert place_in(files, "and two words here again, and on the next line") == f"{path}: line 3"


def test_a_line_that_begins_with_the_text_comes_before_one_that_holds_it(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("another one\nones\n One, and more\none more\none\tmore\n")
    files = ["", str(path)]
    assert place_in(files, "One") == f"{path}: line 3"
    assert place_in(files, "one") == f"{path}: line 5"  # to the tab, as it is written
    assert place_in(files, "nes") == f"{path}: line 2"
    assert place_in(files, "none", "one more") == f"{path}: line 4"


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_short_prompt_is_found_in_the_file_of_its_split(split, tmp_path):
    """Not in a line that has its letters elsewhere, nor in one with another target."""
    files = {name: tmp_path / f"{name}.tsv" for name in ("train", "validation", "test")}
    for name, path in files.items():
        path.write_text(f"a {name} b\tone\nb {name} two\tb {name}\nb {name}\tshort\nb {name}\tlong\n")
    task = Pairs(
        path=str(files["train"]), validation_path=str(files["validation"]), test_path=str(files["test"])
    )
    assert task.place_of(Example(f"b {split}", "long")) == f"{files[split]}: line 4"
    assert task.place_of(Example(f"b {split}", "12,000")) == f"{files[split]}: line 3"


#: Several long ones, so that some are trained on; too long for any model here from their first words on.
LONG = [f"{'abcdefgh'[n]}{'word ' * 40}end" for n in range(8)]
FILES = {
    "pairs": ("{}\tanswer", "\n", {}),
    "translation": ("{}.\tmots.", "\n", {}),
    "names": ("{}", "\n", {"task.max_characters": "500"}),
    "scrambled": ("The tide {} comes.", "\n\n", {"task.max_characters": "0"}),
    "misspelled": ("{}", "\n", {"task.max_characters": "0", "task.words": "50"}),
    "sentence_pairs": ("{} it is. And so on.", "\n\n", {"task.max_characters": "0"}),
    "genres": ("{} it is,A", "\n", {"task.characters": "0"}),
}


@pytest.mark.parametrize("name", FILES)
def test_a_long_example_is_named_with_its_line(name, tmp_path):
    form, end, values = FILES[name]
    lines = [form.format(f"{n} times") for n in range(150)] + [form.format(long) for long in LONG]
    if name == "genres":
        lines = ["synopsis,genres", *(f"{line[:-1]}{'AB'[n % 2]}" for n, line in enumerate(lines))]
    path = tmp_path / f"file.{'csv' if name == 'genres' else 'txt'}"
    path.write_text(end.join([*lines, ""]))
    values = values | {"task.path": str(path), "tokenizer": "bytes", "model.max_length": "64"}
    experiment = fields.override(experiments.find(name.replace("_", "-")), values)
    with pytest.raises(ValueError, match=r"more than model\.max_length") as caught:
        prepare(experiment)
    said = re.match(r"(.*): line (\d+): ", str(caught.value))
    assert said and said[1] == str(path) and "\n" not in str(caught.value)
    named = path.read_text().splitlines()[int(said[2]) - 1]
    assert any(long in named for long in LONG)
