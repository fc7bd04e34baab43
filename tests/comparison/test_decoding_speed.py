"""How fast a run decodes: measured once, kept beside it, and read back."""

import json

import pytest
from tiny_runs import copied

from jaxgpt.comparison import decoding_speed
from jaxgpt.runs.run_directory import RunDirectory


@pytest.mark.thorough
def test_it_is_measured_once(finished_run, tmp_path):
    run = RunDirectory(copied(finished_run, tmp_path / "run"))
    assert decoding_speed.read(run.path) is None
    decoding_speed.measure(run)
    found = decoding_speed.read(run.path)
    assert 100 < found < 1e8
    (run.path / decoding_speed.FILE).write_text(json.dumps({"tokens_per_second": 7}))
    decoding_speed.measure(run)
    assert decoding_speed.read(run.path) == 7


@pytest.mark.parametrize("text", ["[]", "{}", '{"tokens_per_second": "7"}', '{"tokens_per_second": 0}'])
def test_a_file_that_was_changed_is_named(tmp_path, text):
    (tmp_path / decoding_speed.FILE).write_text(text)
    with pytest.raises(ValueError, match=r"decoding\.json tells of no tokens a second; delete it"):
        decoding_speed.read(tmp_path)
