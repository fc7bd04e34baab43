"""An example that is too long for the model is named with its line."""

import re

import pytest

from jaxgpt.core import fields
from jaxgpt.runs import experiments
from jaxgpt.training.prepare import prepare
from tasks.corpus.places import place_in


def test_the_first_line_that_holds_the_beginning(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("one\nTwo  words here\nand two words here again\n")
    assert place_in(str(path), "two words") == f"{path}: line 2"
    assert place_in(str(path), "two words here again") == f"{path}: line 3"
    assert place_in(str(path), "three") == "" == place_in(str(path), "")
    assert place_in(str(path), "and two words here again, and on the next line") == f"{path}: line 3"


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
