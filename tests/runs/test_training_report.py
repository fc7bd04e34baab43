"""What a run says of itself before it trains, beside what the compiled step holds."""

import itertools
import re

import jax
import pytest
from tiny_runs import tiny

from jaxgpt import tokenizers
from jaxgpt.core import fields as options
from jaxgpt.data.corpus import Windows
from jaxgpt.data.tokenizing import tokenize
from jaxgpt.objectives.labels import Labels
from jaxgpt.objectives.masked import Masked
from jaxgpt.objectives.multitask import Multitask
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.objectives.permuted import Permuted
from jaxgpt.objectives.pretraining import Pretraining
from jaxgpt.runs import experiments
from jaxgpt.runs import opening as report
from jaxgpt.training.prepare import prepare
from jaxgpt.training.step_cost import example_rows


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("fields", "trained"),
    [
        ({}, None),
        pytest.param({"seeds": 2}, None, marks=pytest.mark.thorough),
        pytest.param(
            {"optimizer": "muon", "model__param_dtype": "bfloat16"}, None, marks=pytest.mark.thorough
        ),
        # Two maps of 16 x 16, of which each gets a product of rank 8.
        pytest.param({"training__tuning__weights": "lora"}, 2 * 2 * 16 * 8, marks=pytest.mark.thorough),
        pytest.param(
            *({"training__tuning__weights": "lora", "training__tuning__rank": 2, "seeds": 2}, 2 * 2 * 16 * 2),
            marks=pytest.mark.thorough,
        ),
        ({"training__tuning__weights": "head", "model__head__weights": "separate"}, 16 * 15),
    ],
    ids=["all", "seeds", "muon", "lora", "lora-seeds", "head"],
)
def test_memory_and_trained_weights_are_those_of_the_compiled_step(fields, trained, quick_compilation):
    prepared = prepare(tiny(**fields))
    lines = report.summary(prepared).splitlines()
    compiled = prepared.program.compile(prepared.feed.data).compile()
    data, indices = prepared.feed(0, 1)
    given = sum(leaf.nbytes for leaf in jax.tree.leaves((data, indices)))
    held = compiled.memory_analysis().argument_size_in_bytes - given
    # XLA pads each array a little, and the step and count are numbers of their own.
    assert report.held(prepared.program) == pytest.approx(held, rel=0.05)
    (line,) = [line for line in lines if line.startswith("memory")]
    assert f"{report.mib(report.held(prepared.program))} for weights and moments" in line
    (line,) = [line for line in lines if line.startswith("parameters")]
    assert (f"; {trained:,} are trained" in line) if trained else ("trained" not in line)


def data_line(prepared):
    (line,) = [line for line in report.summary(prepared).splitlines() if line.startswith("data ")]
    return line


@pytest.mark.parametrize(
    ("changes", "told"), [({"training__epochs": 2}, "2.00"), ({"training__steps": 12}, "2.40")]
)
def test_passes_over_questions_are_told(changes, told):
    line = data_line(prepare(tiny(training__train_examples=40, training__batch_size=8, **changes)))
    assert line.startswith("data        40 examples, ") and line.endswith(f" a step; {told} epochs")


def test_passes_over_a_text_count_tokens(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("".join(f"Line {i} of the tide.\n" for i in range(200)))
    given = {"task.path": str(path), "model.max-length": "16", "training.steps": "300"}
    prepared = prepare(options.override(experiments.find("text"), given))
    tokens, step = len(prepared.table.stream), prepared.experiment.training.batch_size * 16
    told = f"data        {tokens:,} tokens an epoch; {step} a step; {300 * step / tokens:.2f} epochs"
    assert data_line(prepared) == told


@pytest.mark.parametrize(
    ("kind", "objective", "changes", "read"),
    [
        ("decoder", "next_token", {}, (5, 0)),  # the end is predicted and never read
        ("decoder", "next_token", {"training.packing": "12"}, (12, 0)),
        ("encoder_decoder", "next_token", {}, (2, 4)),
        ("encoder", "masked", {}, (6, 0)),
        ("encoder", "labels", {}, (5, 0)),
        ("encoder", "pretraining", {}, (5, 0)),
        ("encoder_decoder", "labels", {"model.labels-from": "last"}, (5, 5)),
    ],
)
def test_tokens_of_a_step_are_those_that_the_model_reads(tmp_path, kind, objective, changes, read):
    """Rows are `bos abc x eos`, or of a text with a label `bos abc eos`."""
    path = tmp_path / "lines.tsv"
    prompts = map("".join, itertools.product("abcdef", repeat=3))
    path.write_text("".join(f"{prompt}\t{'x' if prompt[0] < 'd' else 'y'}\n" for prompt in prompts))
    given = {"task.path": str(path), "tokenizer": "characters", "model": "tiny", "model.kind": kind}
    given |= {"objective": objective, "training.batch-size": "8", "training.steps": "10"}
    prepared = prepare(options.override(experiments.find("pairs"), given | changes))
    assert example_rows(prepared) == (1, *read)
    assert f" an epoch; {8 * sum(read)} a step; " in data_line(prepared)


def test_masks_behind_a_text_are_read_and_no_part_of_an_epoch(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("".join(f"Line {i} of the tide.\n" for i in range(200)))
    given = {"task.path": str(path), "model.max-length": "16", "training.steps": "300"}
    given |= {"model": "tiny", "model.kind": "encoder", "objective": "permuted", "training.batch-size": "8"}
    prepared = prepare(options.override(experiments.find("text"), given))
    assert example_rows(prepared) == (1, 16 + 3, 0)  # a sixth is predicted
    tokens = len(prepared.table.stream)
    told = f"{tokens:,} tokens an epoch; {8 * 19} a step; {300 * 8 * 16 / tokens:.2f} epochs"
    assert data_line(prepared).endswith(told)


@pytest.mark.parametrize("in_files", [False, True])
def test_rows_of_a_text_are_its_first_windows(tmp_path, in_files):
    """The first token of a window is only read."""
    path = tmp_path / "text.txt"
    path.write_text("".join(f"Line {i} of the tide.\n" for i in range(200)))
    if in_files:
        tokenize([str(path)], tmp_path / "tokens", documents="lines", held_out=0.1, say=lambda line: None)
        path = tmp_path / "tokens"
    given = {"task.path": str(path), "model": "tiny", "model.max-length": "64", "training.test-examples": "0"}
    prepared = prepare(options.override(experiments.find("tokens" if in_files else "text"), given))
    assert in_files == isinstance(prepared.table, Windows)
    for row, line in enumerate(report.rows(prepared, 2)):
        ids = prepared.table.stream[64 * row : 64 * row + 61].tolist()
        first, rest = (report.show(prepared.tokenizer, part) for part in (ids[:1], ids[1:]))
        assert line == f"{first}[{rest}...]"


@pytest.mark.parametrize(
    ("objective", "note"),
    [
        (NextToken(), ""),
        (Masked(), ""),
        (Masked(tokens="random", share=0.5), " where they are hidden: 50% of them, others each time"),
        (Multitask(share=0.2), " where they are hidden: 20% of them, others each time"),
        (Permuted(), " where they are hidden: 17% of them, others each time"),
        (
            Pretraining(),
            ", and so do tokens of the texts where they are hidden: 15% of them, others each time",
        ),
        (Labels(), ""),
        (Labels(language_loss_weight=0.5), ", and so do all tokens of the texts but the first"),
    ],
)
def test_what_carries_loss_is_told(objective, note):
    assert objective.loss_note == note


@pytest.mark.parametrize(("tokens", "all_of_it"), [("answer", False), ("random", True)])
def test_rows_show_which_tokens_may_be_hidden(tokens, all_of_it):
    prepared = prepare(tiny(model__kind="encoder", objective="masked", objective__tokens=tokens))
    example = prepared.examples[0]
    row = f"[{example.prompt}{example.target}]" if all_of_it else f"{example.prompt}[{example.target}]"
    *_, header, first, _ = report.summary(prepared).splitlines()
    assert header == f"rows        [brackets] carry loss{prepared.experiment.objective.loss_note}"
    assert first == f"            <bos>{row}<eos>"


def test_fields_at_their_defaults_are_counted_and_shown_when_asked_for():
    experiment, given = tiny(model__position="abacus", training__steps=3), frozenset({"training.seed"})
    short = report.settings(experiment, given, "changed")
    assert "tokenizer=digits" in short and "position=abacus" in short and "steps=3" in short
    assert " *seed=0" in short  # given, though it is the default
    assert "d_ff=" not in short and "beta1" not in short
    whole = report.settings(experiment, given, "all")
    assert " *seed=0" in whole and "d_ff=None" in whole and "beta1=0.9" in whole
    (line,) = [line for line in short.splitlines() if "at their defaults" in line]
    more = len(re.findall(r"\S+=", whole)) - len(re.findall(r"\S+=", short))
    assert line.split()[0] == str(more) and "at their defaults" not in whole


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("digits", "13,776.87"),
        ("bytes", "13,776.87"),
        ("digits:3", "13|,|776|.|87"),
        ("bytes", "für"),
    ],
)
def test_rows_show_tokens(spec, shown):
    text = shown.replace("|", "")
    tokenizer = tokenizers.build(spec, lambda: [text] * 3)
    assert report.show(tokenizer, tokenizer.encode(text)) == shown
    ids = [tokenizer.bos_id, *tokenizer.encode(text), tokenizer.eos_id]
    assert report.show(tokenizer, ids) == f"<bos>{shown}<eos>"
