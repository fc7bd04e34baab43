"""Before any training: what cells share is settled and said, and what cannot be is refused in one line."""

import dataclasses
import re

import pytest
from comparison_building import given, plan, words

from jaxgpt.cli import compare as command
from jaxgpt.comparison import preflight, sections
from jaxgpt.core import tables
from jaxgpt.nn.position.coupled import Coupled
from jaxgpt.nn.position.coupled_relative import CoupledRelative
from jaxgpt.nn.position.none import NoPosition
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.training.prepare import training_examples

LEFT_OUT = {"model__max_length": "LEFT OUT"}


def positions(plan):
    return {type(cell.experiment.model.position) for cell in plan.cells}


def test_a_scheme_that_counts_digits_gives_way_in_every_cell_and_this_is_said():
    found = plan("--tokenizers", "digits,digits:2:right,spaced")
    assert positions(found) == {Rotary}
    note = found.notes[0]
    assert "rotary in every cell" in note and "coupled" in note and "digits:2:right and 1 more" in note


def test_a_scheme_that_every_cell_can_have_stays():
    found = plan("--tokenizers", "digits,bytes")
    assert positions(found) == {CoupledRelative}
    assert not any("rotary" in note for note in found.notes)


@pytest.mark.thorough
def test_a_scheme_that_was_asked_for_stays_and_what_it_counts_is_said():
    found = plan("--tokenizers", "digits,digits:2:right", "--model.position.reach", "2")
    assert positions(found) == {CoupledRelative}
    assert "no single digits in digits:2:right" in found.notes[0]
    found = plan("--tokenizers", "digits,digits:2:right", "--vary", "model.position=coupled,none")
    assert positions(found) == {Coupled, NoPosition}


def test_what_the_tokenizers_make_of_the_text():
    found = plan("--tokenizers", "digits,digits:2:left")
    experiment = found.cells[0].experiment
    examples = training_examples(experiment, "train", 200)
    for cell, size in zip(found.cells, (1, 2), strict=True):
        tokens, numbers = [], []
        for example in examples:
            for text in (example.prompt, example.target):
                numbers += [-(-len(n) // size) for n in re.findall("[0-9]+", text)]
            signs = len(re.findall("[^0-9]", example.prompt + example.target))
            digits = [*re.findall("[0-9]+", example.prompt), example.target]
            tokens.append(signs + sum(-(-len(n) // size) for n in digits))
        facts = cell.facts
        assert facts.tokens_per_number == pytest.approx(sum(numbers) / len(numbers))
        assert facts.tokens_per_example == pytest.approx(sum(tokens) / len(tokens))
        characters = sum(len(e.prompt) + len(e.target) for e in examples)
        assert facts.characters_per_token == pytest.approx(characters / sum(tokens))
        assert facts.tokens == max(tokens) + 1  # the begin token; the end token is never read
    assert found.cells[0].facts.body == found.cells[1].facts.body
    assert f"every cell has {found.cells[0].facts.body:,} parameters" in " ".join(found.notes)
    assert found.cells[0].facts.params < found.cells[1].facts.params


def test_numbers_with_decimal_places_are_numbers_of_their_own():
    line = ["matrix-addition", "--task.entries", "reals", "--tokenizers", "digits,p10,fp15"]
    line += ["--training.train-examples", "100", "--training.test-examples", "20"]
    found = preflight.plan(command.request(given(*line)))
    digits, p10, fp15 = (cell.facts.tokens_per_number for cell in found.cells)
    # Sizes such as the 2 and the 3 of `2x3` are numbers, too; 3.07 is four tokens of digits.
    assert 2 < digits < 4 and (p10, fp15) == (5, 1)


def test_steps_at_equal_flops_cost_what_the_baseline_costs():
    found = plan("--tokenizers", "digits,digits:2:right,bytes", "--baseline", "bytes", training__steps=1000)
    assert found.baseline.name == "bytes"
    spent = {cell.name: cell.flops * found.steps(cell, "flops") for cell in found.cells}
    for cell in found.cells:
        assert found.steps(cell, "examples") == 1000
        assert abs(spent[cell.name] - spent["bytes"]) <= cell.flops / 2
    assert found.steps(found.baseline, "flops") == 1000
    # The baseline's run serves both budgets; every other cell has one run for each.
    folders = [job.folder for job in found.all_jobs()]
    assert folders == ["digits", "digits-2-right", "bytes", "digits--flops", "digits-2-right--flops"]
    table = tables.terminal(sections.plan_table(found))
    assert "bytes (baseline)" in table and "1,000" in table


def test_a_cell_with_fewer_steps_is_looked_at_and_kept_no_more_often_than_it_has_steps():
    fields = {"training__steps": 20, "training__keep_spaced": 20}
    found = plan("--tokenizers", "digits,bytes", "--baseline", "digits", "--training.looks", "20", **fields)
    for job in found.all_jobs():
        training = job.experiment.training
        assert training.looks == training.keep_spaced == min(training.steps, 20)
    assert min(job.experiment.training.steps for job in found.all_jobs()) < 20


def test_cells_of_one_cost_have_one_budget():
    found = plan("--vary", "model.position=rotary,none")
    assert found.budgets == ("examples",) and "equal examples are equal training FLOPs" in found.notes[-1]
    assert len(found.all_jobs()) == 2
    assert plan("--tokenizers", "digits,digits:2:left").budgets == ("examples", "flops")


def test_cells_with_another_batch_size_see_as_many_examples():
    fields = {"training__batch_size": "LEFT OUT", "training__steps": 24, "training__looks": 20}
    found = plan("--vary", "training.batch-size=8,16,32", "--baseline", "16", **fields)
    for cell in found.cells:
        training = cell.experiment.training
        assert training.steps * training.batch_size == 24 * 16
        assert training.looks == min(20, training.steps)
    assert "384 examples, which takes 12 to 48 steps" in " ".join(found.notes)
    assert found.budgets == ("examples",) and len(found.all_jobs()) == 3


def test_cells_that_train_on_other_examples_are_not_said_to_see_the_same():
    same = "see the same examples in the same order"
    assert same in " ".join(plan("--tokenizers", "digits,bytes").notes)
    fields = {"training__train_examples": "LEFT OUT"}
    found = plan("--vary", "training.train-examples=100,200", **fields)
    assert same not in " ".join(found.notes) and "Cells of one task answer the same" in " ".join(found.notes)


def test_cells_that_keep_fewer_examples_have_facts_of_their_own(tmp_path):
    lines = [f"{n}\t{n}\n" for n in range(10, 60)] + [f"{n}\t{'x' * 9}\n" for n in range(1000, 1400)]
    (tmp_path / "pairs.tsv").write_text("".join(lines))
    line = ["pairs", "--task.path", tmp_path / "pairs.tsv", "--tokenizer", "characters", "--model", "tiny"]
    line += ["--training.test-examples", "10", "--vary", "training.at-most=5,none"]
    few, every = (cell.facts for cell in preflight.plan(command.request(given(*line))).cells)
    assert few.tokens_per_example != every.tokens_per_example


def test_values_that_fit_together_alone_are_taken():
    """A width of 48 has 3 heads, and the experiment's own has none of that number."""
    fields = {"model__d_model": "LEFT OUT", "model__num_heads": "LEFT OUT"}
    found = plan("--vary", "model.d-model=48,24", "--vary", "model.num-heads=3,6", **fields)
    assert [cell.name for cell in found.cells] == ["48 / 3", "48 / 6", "24 / 3", "24 / 6"]


def test_the_context_is_what_the_longest_cell_needs():
    request = command.request(given(*words("--tokenizers", "digits:2:right,digits", **LEFT_OUT)))
    model = dataclasses.replace(request.experiment.model, max_length=4)
    request = dataclasses.replace(request, experiment=dataclasses.replace(request.experiment, model=model))
    found = preflight.plan(request)
    # begin token, 99+99= and 891
    assert {cell.experiment.model.max_length for cell in found.cells} == {10}
    assert "10 tokens in every cell instead of 4: digits needs them" in found.notes[1]
    assert {c.experiment.model.max_length for c in plan("--tokenizers", "digits,bytes").cells} == {16}


@pytest.mark.parametrize(
    ("more", "fields", "message"),
    [
        (["--tokenizers", "digits"], {}, "one cell is no comparison"),
        (["--tokenizers", "digits,digits:1"], {}, "cells digits and digits:1 are the same experiment"),
        (["--tokenizers", "digits,digit"], {}, "cell digit: "),
        (["--tokenizers", "digits,digits:9"], {}, "cell digits:9: digits:9: SIZE='9'"),
        (
            ["--tokenizers", "digits,comparison_tokenizers:NoSevens"],
            {},
            "cell comparison_tokenizers:NoSevens: train split: the character '7'",
        ),
        (["--tokenizers", "digits,comparison_tokenizers:Rounds"], {}, "no answer could be exact"),
        (
            ["--tokenizers", "digits,xval", "--task.extra-digits", "20"],
            {"task__format": "plain", "task__extra_digits": "LEFT OUT", "model__max_length": "LEFT OUT"},
            "or ask none of them (--training.extra-examples 0)",
        ),
        (
            ["--tokenizers", "digits,comparison_tokenizers:Doubles", "--model.position", "coupled"],
            {},
            "cell comparison_tokenizers:Doubles: model.position=coupled: the tokenizer "
            "splits the answer marker '='",
        ),
        (
            ["--tokenizers", "digits,spaced", "--vary", "model.position=rotary,abacus"],
            {},
            "cell spaced / abacus: model.position=abacus counts tokens of digits",
        ),
        (
            ["--tokenizers", "digits,bytes"],
            {"training__test_examples": 0},
            "training.test_examples=0 asks no",
        ),
        (["--tokenizers", "digits,bytes"], {"task__held_out": 0}, "cell digits: "),
        (
            ["--tokenizers", "digits:2,bytes"],
            {"model__max_length": 8},
            "cell bytes: a prompt with its answer has",
        ),
        (
            ["--tokenizers", "digits,bytes", "--model.position.max-position", "14"],
            {"model__position": "coupled"},
            "cell digits: the longest number reaches position 3",
        ),
        (
            [
                "--tokenizers",
                "digits,bytes",
                "--model.position.max-position",
                "16",
                "--task.extra-digits",
                "20",
            ],
            {
                "model__position": "coupled",
                "task__extra_digits": "LEFT OUT",
                "model__max_length": "LEFT OUT",
            },
            "300 of 350 test questions cannot be asked",
        ),
        (
            ["--tokenizers", "digits,bytes", "--sweep", "training.batch_size=8,16"],
            {"training__batch_size": "LEFT OUT"},
            "--sweep training.batch_size: every option of a sweep has the same",
        ),
        (
            ["--tokenizers", "digits,bytes", "--sweep", "model.d_model=16,32"],
            {"model__d_model": "LEFT OUT"},
            "--sweep model.d_model: ",
        ),
        (
            ["--tokenizers", "digits,bytes", "--sweep", "optimizer.learning_rate=1,2"],
            {"training__eval_examples": 0, "optimizer__learning_rate": "LEFT OUT"},
            "training.eval_examples=0",
        ),
        (["--tokenizers", "digits,bytes"], {"model__kind": "encoder"}, "an encoder sees what follows"),
        (
            ["--tokenizers", "digits,bytes"],
            {"training__epochs": 2, "training__steps": "LEFT OUT"},
            "training.epochs=2.0: an epoch is more steps under one tokenization",
        ),
        (
            ["--vary", "training.steps=10,20"],
            {"training__steps": "LEFT OUT"},
            "--vary training.steps: every cell trains as long",
        ),
        (
            ["--vary", "training.batch-size=8,7"],
            {"training__batch_size": "LEFT OUT"},
            "cell 7: training.batch_size=7 does not divide the 160 examples of the baseline, 20 steps of 8",
        ),
        (["--tokenizers", "digits,bytes"], {"training__packing": 48}, "training.packing=48: rows that hold"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_refused_in_one_line(more, fields, message):
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z") as error:
        plan(*more, **fields)
    assert message in str(error.value)


def test_one_seed_is_allowed_and_said():
    found = plan("--tokenizers", "digits,bytes", seeds=1)
    assert "no interval over seeds" in found.notes[-1]


def test_a_varied_model_may_differ_in_size_and_this_is_said():
    found = plan("--vary", "model.num_layers=1,2", model__num_layers="LEFT OUT")
    assert found.cells[0].facts.body < found.cells[1].facts.body
    assert any("size is varied (model.num_layers)" in note for note in found.notes)


def test_an_encoder_decoder_and_a_text(tmp_path):
    found = plan("--tokenizers", "digits,digits:2:right", model__kind="encoder_decoder")
    facts = found.cells[0].facts
    assert (facts.tokens, facts.source) == (4, 7)  # begin and three digits; 99+99= and its end
    (tmp_path / "text.txt").write_text("so many words stand here\n" * 200)
    line = [
        "text",
        "--task.path",
        str(tmp_path / "text.txt"),
        "--model",
        "tiny",
        "--tokenizers",
        "bytes,bpe:270",
    ]
    line += ["--training.test-examples", "5", "--seeds", "2"]
    found = preflight.plan(command.request(given(*line)))
    first, second = (cell.facts for cell in found.cells)
    assert first.tokens == second.tokens == found.cells[0].experiment.model.max_length
    assert first.characters_per_token == pytest.approx(1.0) and second.characters_per_token > 1
    notes = " ".join(found.notes)
    assert "read as many windows of the text" in notes and "the same examples" not in notes
