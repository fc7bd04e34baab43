"""Cells of several sizes: how a size is named, what it changes, and success against parameters."""

import dataclasses

import pytest
from comparison_building import plan
from tiny_runs import one_line, tiny

from jaxgpt.comparison import size_pictures
from jaxgpt.comparison.styles import styles
from jaxgpt.evaluation import plots
from jaxgpt.nn.position.coupled import Coupled
from jaxgpt.training import start

#: The tiny model has two heads of 8.
SIZES = ("--tokenizers", "digits,digits:2:right", "--vary", "model=1x16,2x32")


def test_a_size_sets_blocks_width_and_heads_and_leaves_the_rest():
    base = tiny(model__position="coupled")
    found = start.override(base, {"model": "3x24"}).model
    assert (found.num_layers, found.d_model, found.num_heads) == (3, 24, 3)
    assert found == dataclasses.replace(base.model, num_layers=3, d_model=24, num_heads=3)
    assert isinstance(found.position, Coupled)
    assert start.override(base, {"model": "3x24", "model.num_heads": "1"}).model.num_heads == 1
    with pytest.raises(ValueError, match="model=3x20: a width of 20 is not divisible by 8, the width"):
        start.override(base, {"model": "3x20"})


def test_a_comparison_of_sizes_settles_the_rest_as_any_other():
    found = plan(*SIZES, model__num_layers="LEFT OUT", model__d_model="LEFT OUT", model__num_heads="LEFT OUT")
    assert [cell.name for cell in found.cells] == [
        f"{tokenizer} / {size}" for tokenizer in ("digits", "digits:2:right") for size in ("1x16", "2x32")
    ]
    sizes = [(c.experiment.model.num_layers, c.experiment.model.d_model) for c in found.cells]
    assert sizes == [(1, 16), (2, 32)] * 2
    assert any("Positions are rotary in every cell" in note for note in found.notes)
    assert any("The model's size is varied (model)" in note for note in found.notes)


def test_a_width_that_heads_do_not_divide_is_named(jaxgpt):
    status, _, errors = jaxgpt("compare", "addition", "--vary", "model=2x64,2x65", "--dry-run")
    assert status == 2 and "model=2x65: a width of 65 is not divisible by 16" in one_line(errors)


def of_sizes(found):
    """The three cells as one tokenizer at three sizes, and its findings."""
    cells = []
    for index, finding in enumerate(found.findings["examples"]):
        facts = dataclasses.replace(finding.cell.facts, body=10 ** (5 - index))
        values = {"tokenizer": "digits", "model": f"{index}x16"}
        cell = dataclasses.replace(finding.cell, facts=facts, values=values)
        cells.append(dataclasses.replace(finding, cell=cell))
    return cells


def test_success_is_drawn_against_parameters(found, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    cells = of_sizes(found)
    assert size_pictures.success(cells, "examples", tmp_path / "x")
    rates, exact = drawn[0].axes
    (line,) = rates.lines
    assert line.get_label() == "digits" and line.get_xdata().tolist() == [1000, 10_000, 100_000]
    assert line.get_ydata().tolist() == [f.success.share.mean for f in reversed(cells)]
    assert len(exact.lines) == 1 + 3 and len(exact.lines[1].get_ydata()) == 8


def test_the_line_of_a_tokenizer_has_its_colour(found, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    cells = []
    for finding in of_sizes(found):
        for position in ("rotary", "alibi"):
            values = finding.cell.values | {"model.position": position}
            cells.append(dataclasses.replace(finding, cell=dataclasses.replace(finding.cell, values=values)))
    assert size_pictures.success(cells, "examples", tmp_path / "x")
    first, second = drawn[0].axes[0].lines
    assert {first.get_label(), second.get_label()} == {"digits / rotary", "digits / alibi"}
    assert first.get_color() == second.get_color() == styles(["digits"])[0]["color"]
    assert first.get_linestyle() != second.get_linestyle()


def test_models_that_differ_in_more_than_their_size_have_lines_of_their_own(found):
    cells = of_sizes(found)
    values = [{"model": "0x16", "model.position": "rotary"}, {"model": "1x16", "model.position": "rotary"}]
    values.append({"model": "1x16", "model.position": "alibi"})

    def lines(values):
        changed = [
            dataclasses.replace(finding, cell=dataclasses.replace(finding.cell, values=given))
            for finding, given in zip(cells, values, strict=True)
        ]
        return {name: len(members) for name, members in size_pictures.by_size(changed).items()}

    assert lines(values) == {"rotary": 2, "alibi": 1}
    # Presets are other models, and no sizes of one.
    assert lines([{"model": name} for name in ("names-mlp", "names-gru", "names-rnn")]) == {}
    assert lines([{"model.d_ff": str(size)} for size in (16, 32, 64)]) == {"all cells": 3}


def test_cells_of_one_size_are_not_drawn(found, tmp_path):
    assert not size_pictures.success(found.findings["examples"], "examples", tmp_path / "x")
