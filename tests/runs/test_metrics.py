"""`metrics.jsonl`: one value a line, written and read back; what else stands there ends in one line."""

import json

import numpy as np
import pytest

from jaxgpt.runs.records import Metric, Records, read
from jaxgpt.runs.run_directory import RunDirectory


def opened(path, keep_until=0):
    options = {"tensorboard": False, "wandb": False, "config": {}}
    return Records(RunDirectory(path), seeds=range(5, 7), keep_until=keep_until, **options)


def line(**fields):
    return json.dumps({"step": 1, "seed": 0, "name": "loss", "value": 0.5} | fields)


def test_a_line_is_one_value_of_one_seed_or_of_all(tmp_path):
    file = opened(tmp_path)
    file.write(1, loss=np.asarray([0.5, np.nan], np.float32), seconds=2.5)
    file.close()
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert lines[0] == '{"step": 1, "seed": 5, "name": "loss", "value": 0.5}'
    assert lines[2] == '{"step": 1, "seed": null, "name": "seconds", "value": 2.5}'
    found = [(1, 5, "loss", 0.5), (1, 6, "loss", None), (1, None, "seconds", 2.5)]
    assert read(tmp_path / "metrics.jsonl") == [Metric(*row) for row in found]


def test_what_was_cut_off_within_a_step_is_written_again_and_counts_once(tmp_path):
    """As by a disk that was full: the values of one seed are there, those of the next are not."""
    path = tmp_path / "metrics.jsonl"
    path.write_text(line(seed=5) + "\n" + line(seed=5, step=2) + "\n" + line(seed=6, step=2)[:20])
    file = opened(tmp_path, keep_until=2)
    file.write(2, loss=[0.75, 0.25])
    file.close()
    assert read(path) == [Metric(1, 5, "loss", 0.5), Metric(2, 5, "loss", 0.75), Metric(2, 6, "loss", 0.25)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"step": 1, "loss": 0.5, "seconds": 1.0}', "written by an older version of jaxgpt.*train again"),
        ("[1]", "not a value with a step"),
        (line(step=True), "not a value with a step"),
        (line(step=-1), "not a value with a step"),
        (line(more=1), "not a value with step, seed, name, value"),
        (line(seed="0\n"), r"the seed '0\\n' is no whole number"),
        (line(name=["x"]), r"the name \['x'\] is no text"),
        (line(name="x\n" * 99, value="1"), r"the value of 'x\\nx.*\.\.\.' is no number"),
        (line(value=True), "the value of 'loss' is no number"),
        (line(value=[0.5]), "the value of 'loss' is no number"),
        ("{", "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        ('{"step": 1, "value": ' + "9" * 5000 + "}", "not a JSON object"),
    ],
    ids=range(13),
)
def test_what_is_no_value_is_told_with_its_line(tmp_path, text, told):
    path = tmp_path / "metrics.jsonl"
    path.write_text(f"{line()}\n{text}\n{line(step=2)}\n")
    with pytest.raises(ValueError, match=rf"\A\S*metrics\.jsonl, line 2: {told}") as error:
        read(path)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_a_number_that_is_not_finite_is_none_and_can_be_written_again(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(line(value=float("nan")) + "\n" + line(seed=1).replace("0.5", "1e999") + "\n")
    assert [metric.value for metric in read(path)] == [None, None]
    opened(tmp_path, keep_until=1).close()
    assert "NaN" not in path.read_text() and len(read(path)) == 2
