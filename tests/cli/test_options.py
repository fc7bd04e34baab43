"""The parser that all commands share, without running any."""

import pytest

from jaxgpt.cli import commands
from jaxgpt.core.usage import UsageError

#: A command line of each command that parses.
LINES = {
    "train": ["addition"],
    "evaluate": ["run"],
    "generate": ["run"],
    "score": ["run", "a.txt", "--task", "lambada"],
    "tokenize": ["a.txt"],
    "plan": ["text"],
    "compare": ["addition"],
    "lecture": ["attention"],
    "lab": ["run"],
    "search": ["isosceles"],
    "features": ["run", "texts.txt", "--output", "out.npz"],
    "import-hf": ["directory"],
    "export-hf": ["run", "--family", "gpt2", "--output", "out"],
    "verify-hf": ["directory"],
    "completion": ["bash"],
}


def parse(command, *words):
    return commands.module(command).parser().parse(words)


def test_every_command_has_a_parser_and_help(jaxgpt):
    assert list(LINES) == list(commands.COMMANDS)
    for command, line in LINES.items():
        assert not parse(command, *line).help
        status, output, errors = jaxgpt(command, "--help")
        assert (status, errors) == (0, "") and output.startswith("usage: "), command
        assert "--traceback" in output and max(map(len, output.splitlines())) <= 110


def test_values_stand_behind_a_space_or_an_equals_sign():
    for words in (["--max-digits", "3"], ["--max_digits=3"]):
        words = [word.replace("--max", "--task.max") for word in words]
        given = parse("train", *words, "addition", "--dry_run")
        fields = {name.replace("_", "-"): value for name, value in given.fields.items()}
        assert (given.experiment, given.dry_run, fields) == ("addition", True, {"task.max-digits": "3"})
    for words in (["--held-out", "0.2"], ["--held_out=0.2"]):
        given = parse("tokenize", "a.txt", "--output", "out", *words, "b.txt")
        assert (given.texts, given.output, given.held_out) == (["a.txt", "b.txt"], "out", 0.2)
    assert parse("train", "--task.extra-digits=", "--tokenizer=a=b").fields == {
        "task.extra-digits": "",
        "tokenizer": "a=b",
    }


def test_values_may_begin_with_a_hyphen():
    assert parse("generate", "run", "--prompt", "-12+5").prompt == "-12+5"
    assert parse("generate", "run", "--prompt=--1").prompt == "--1"
    assert parse("generate", "--prompt", "-", "run").prompt == "-"
    assert parse("train", "--optimizer.learning-rate", "-1").fields == {"optimizer.learning-rate": "-1"}
    with pytest.raises(UsageError, match="--prompt needs a value"):
        parse("generate", "run", "--prompt", "--stop")


@pytest.mark.parametrize(
    ("command", "words", "message"),
    [
        ("train", ["--work", "x"], "no option --work; known: --workdir"),
        ("train", ["--resum"], "no option --resum; known: --resume"),
        ("train", ["--workdr", "x"], "no option --workdr; known: --workdir"),
        ("evaluate", ["--spilt", "test"], "no option --spilt; known: --split"),
        ("export-hf", ["--famly", "gpt2"], "no option --famly; known: --family"),
        ("verify-hf", ["--refrence", "x.npz"], "no option --refrence; known: --reference"),
        ("import-hf", ["--model.d-model", "3"], "no option --model.d-model; known: "),
        ("evaluate", ["--split", "tset"], "--split tset: did you mean test?"),
        ("evaluate", ["--n", "none"], "--n none: a whole number of at least 1 is needed"),
        ("plan", ["--memory", "much"], "--memory much: a positive number is needed"),
        ("completion", ["bush"], "'bush' is one argument too many after SHELL=bash"),
        ("verify-hf", ["more"], "'more' is one argument too many after DIR=directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_name_the_nearest_name(command, words, message, jaxgpt):
    status, output, errors = jaxgpt(command, *LINES[command], *words)
    assert (status, output) == (2, "") and message in errors
    assert errors.startswith("error: ") and errors.count("\n") == 1  # no usage ahead of it


@pytest.mark.parametrize(
    "command", ["evaluate", "generate", "import-hf", "export-hf", "verify-hf", "completion"]
)
def test_what_a_command_cannot_do_without(command, jaxgpt):
    status, output, errors = jaxgpt(command)
    assert (status, output) == (2, "")
    assert errors.startswith(f"error: {command} needs ") and f"see jaxgpt {command} --help" in errors
    assert errors.count("\n") == 1


def test_an_own_option_does_not_hide_a_field_with_a_name_like_it():
    given = parse("compare", "addition", "--tokenizer", "bytes", "--vary", "model.position=rotary,alibi")
    assert given.fields == {"tokenizer": "bytes"} and given.tokenizers is None
    with pytest.raises(UsageError, match="no option --; known"):
        parse("train", "--", "addition")
