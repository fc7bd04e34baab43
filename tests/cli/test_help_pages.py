"""What `--help` of an experiment and `--help` alone show, and how much of it."""

import itertools
import re

import pytest

from jaxgpt.cli import first_fields
from jaxgpt.core import fields
from jaxgpt.runs import experiments

#: An experiment of each kind of task, and those with the longest pages.
EXPERIMENTS = (
    "addition",
    "addition_seq2seq",
    "magic_squares_five",
    "pairs",
    "synopses",
    "text",
    "tiny_adder",
)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_help_of_an_experiment_fits_on_two_screens(jaxgpt, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "100")
    output = jaxgpt("train", name, "--help")[1]
    assert len(output.splitlines()) <= 80
    assert max(map(len, output.splitlines())) <= 100
    first = [line.split()[0] for line in output.splitlines() if line.startswith("  --")]
    assert first[0] == "--tokenizer" and "--model.num-layers" in first[:25]
    assert {"--training.steps", "--training.batch-size", "--seeds"} < set(first)
    assert first.index("--seeds") < first.index("--workdir")  # fields stand ahead of options


def test_what_the_first_page_leaves_out_is_counted_and_shown_by_help_all(jaxgpt):
    paths = {"--" + row.path.replace("_", "-") for row in fields.describe(experiments.find("addition"))}
    first, every = (
        set(re.findall(r"^  (--\S+)", jaxgpt("train", "addition", option)[1], flags=re.MULTILINE))
        for option in ("--help", "--help-all")
    )
    assert paths <= every and first <= every
    assert f"\n{len(paths - first)} more fields: " in jaxgpt("train", "addition", "--help")[1]
    headings = re.findall(r"^(\w[\w.]*): ", jaxgpt("train", "addition", "--help-all")[1], flags=re.MULTILINE)
    assert headings[1:].count("model") == 1 and "training.mesh" in headings


def test_every_first_field_is_one():
    """A field that was given another name would be missing from the page, and nobody would see it."""
    paths = [row.path for name in EXPERIMENTS for row in fields.describe(experiments.find(name))]
    for name in itertools.chain.from_iterable(first_fields.FIRST.values()):
        part, _, field = name.partition(".")
        inside = [path for path in paths if path == part or path.startswith(f"{part}.")]
        assert inside and (field in ("", "*") or any(path.endswith(f".{field}") for path in inside)), name


def test_a_newcomer_s_page_is_one_screen(jaxgpt, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    output = jaxgpt("train", "--help")[1]
    assert len(output.splitlines()) <= 40 and max(map(len, output.splitlines())) <= 100
    for words in ("examples:", "--list", "addition --help", "addition --help-all", "--resume", "--seeds"):
        assert words in output
