"""Two comparisons of one experiment become one, or the difference is named."""

import json
import shutil

import pytest
from comparison_building import evaluation, finish, given, plan

from jaxgpt.cli import compare as command
from jaxgpt.comparison import merging, results
from jaxgpt.comparison.cells import FOLDER, Plan

SCORES = {"digits": (0.75, 1.0), "digits:2:right": (0.5, 0.5), "bytes": (0.25, 0.5)}


def compared(path, names, *more, **fields):
    """A finished comparison of these tokenizers."""
    path.mkdir()
    # Both are settled alike: rotary positions, whether or not a tokenizer asks for them.
    found = plan("--tokenizers", names, *more, "--model.position", "rotary", **fields)
    finish(path, found, lambda cell, budget: evaluation(SCORES[cell]))
    return path


def test_cells_are_joined_and_the_same_one_is_taken_once(tmp_path):
    one = compared(tmp_path / "one", "digits,digits:2:right")
    two = compared(tmp_path / "two", "digits,bytes")
    (one / FOLDER / "digits" / "mine.txt").write_text("from the first")
    lines = []
    line = ["--merge", f"{one},{two}", "--workdir", tmp_path / "both"]
    assert command.compare(given(*line), lines.append) == "finished"
    merged = Plan.read(tmp_path / "both")
    assert [cell.name for cell in merged.cells] == ["digits", "digits:2:right", "bytes"]
    assert merged.request.axes[0].values == ("digits", "digits:2:right", "bytes")
    found = results.read(merged, tmp_path / "both")
    for budget in ("examples", "flops"):
        per_seed = {f.cell.name: f.overall.exact_match.per_seed for f in found.findings[budget]}
        assert per_seed == SCORES
    assert (tmp_path / "both" / FOLDER / "digits" / "mine.txt").exists()
    assert (tmp_path / "both" / "report.html").exists() and "written: " in lines[-1]
    folders = {path.name for path in (tmp_path / "both" / FOLDER).iterdir()}
    assert folders == {"digits", "digits-2-right", "digits-2-right--flops", "bytes", "bytes--flops"}
    # A merged comparison is one like any other.
    three = compared(tmp_path / "three", "digits,bytes")
    again = merging.merge([tmp_path / "both", three], tmp_path / "all")
    assert [cell.name for cell in again.cells] == [cell.name for cell in merged.cells]


@pytest.mark.parametrize(
    "more", [["--dry-run"], ["--baseline", "bytes"], ["--budgets", "examples"], ["--resume"]], ids=str
)
def test_options_that_a_join_would_pass_over_are_refused(tmp_path, more):
    line = ["--merge", tmp_path / "one", "--workdir", tmp_path / "both", *more]
    with pytest.raises(ValueError, match=f"^--merge joins what is there, and takes no {more[0]}; leave it"):
        command.compare(given(*line), print)
    assert not (tmp_path / "both").exists()


@pytest.mark.parametrize(
    ("names", "more", "fields", "message"),
    [
        ("digits,bytes", (), {"training__steps": 30}, "their settings differ: training.steps: 20 -> 30"),
        ("digits,bytes", ("--budgets", "examples"), {}, "their budgets differ"),
        ("digits,bytes", ("--sweep", "optimizer.epsilon=1e-8,1e-7"), {}, "their sweep differ"),
        ("digits,bytes", ("--vary", "task.format=plain,reversed"), {}, "varies task.format, tokenizer"),
        ("bytes,digits", ("--baseline", "bytes"), {}, "their baselines, digits and bytes, cost"),
    ],
)
def test_what_differs_is_named(tmp_path, names, more, fields, message):
    one = compared(tmp_path / "one", "digits,digits:2:right")
    SCORES.update(
        {f"{name} / {form}": (0.5, 0.5) for name in ("digits", "bytes") for form in ("plain", "reversed")}
    )
    two = compared(tmp_path / "two", names, *more, **fields)
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z") as error:
        merging.merge([one, two], tmp_path / "both")
    assert message in str(error.value)
    assert not (tmp_path / "both").exists()


def test_sizes_that_are_joined_agree_in_all_but_the_size(tmp_path):
    SCORES.update({size: (0.5, 0.5) for size in ("1x32", "2x32", "1x64")})

    def of_sizes(name, sizes, **fields):
        (tmp_path / name).mkdir()
        found = plan("--vary", f"model={sizes}", "--budgets", "examples", **fields)
        finish(tmp_path / name, found, lambda cell, budget: evaluation(SCORES[cell]))
        return tmp_path / name

    one, two = of_sizes("one", "1x32,2x32"), of_sizes("two", "1x64,2x32")
    assert len(merging.merge([one, two], tmp_path / "both").cells) == 3
    other = of_sizes("other", "1x64,2x32", model__dropout=0.5)
    with pytest.raises(ValueError, match=r"settings differ: model\.dropout: 0\.0 -> 0\.5"):
        merging.merge([one, other], tmp_path / "none")


def test_cells_that_train_on_other_examples_are_not_joined(tmp_path):
    SCORES.update({str(size): (0.5, 0.5) for size in (4, 8, 16, 32)})

    def of_batches(name, sizes):
        (tmp_path / name).mkdir()
        more = ("--vary", f"training.batch-size={sizes}", "--budgets", "examples", "--training.looks", "4")
        finish(
            tmp_path / name,
            plan(*more, training__batch_size="LEFT OUT"),
            lambda cell, _: evaluation(SCORES[cell]),
        )
        return tmp_path / name

    one, two, three = of_batches("one", "8,16"), of_batches("two", "16,32"), of_batches("three", "8,4")
    with pytest.raises(
        ValueError, match=r"their cells train on 160 and 320 examples; compare with one --base"
    ):
        merging.merge([one, two], tmp_path / "none")
    assert len(merging.merge([one, three], tmp_path / "both").cells) == 3


def test_a_duplicate_that_is_not_the_same_is_named(tmp_path):
    one = compared(tmp_path / "one", "digits,digits:2:right")
    two = compared(tmp_path / "two", "digits,bytes")
    data = json.loads((two / "comparison.json").read_text())
    data["cells"][0]["facts"]["fingerprint"] = "another"
    (two / "comparison.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match=r"cell digits is in .* and they are not the same: tokenizer: "):
        merging.merge([one, two], tmp_path / "both")


def test_what_is_not_finished_or_no_comparison_is_not_merged(tmp_path):
    one = compared(tmp_path / "one", "digits,digits:2:right")
    two = compared(tmp_path / "two", "digits,bytes")
    shutil.rmtree(two / FOLDER / "bytes--flops")
    with pytest.raises(ValueError, match="two is not finished: cell bytes has no evaluation; go on with"):
        merging.merge([one, two], tmp_path / "both")
    with pytest.raises(ValueError, match="none holds no comparison"):
        merging.merge([one, tmp_path / "none"], tmp_path / "both")
    for line, message in (
        (["--merge", one, "--workdir", tmp_path / "both"], "two directories of comparisons or more"),
        (["--merge", f"{one},{two}"], "--merge needs --workdir"),
        (["--merge", f"{one},{two}", "--workdir", one], "is not empty"),
        (["addition", "--merge", f"{one},{two}", "--workdir", tmp_path / "both"], "name no experiment"),
    ):
        with pytest.raises(ValueError, match=message):
            command.compare(given(*line), print)
