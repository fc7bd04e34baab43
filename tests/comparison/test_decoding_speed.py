"""How fast a run decodes: measured once, kept beside it, and read back."""

import dataclasses
import json
from types import SimpleNamespace

import pytest
from tiny_runs import copied

from jaxgpt.comparison import decoding_speed
from jaxgpt.runs.run_directory import RunDirectory
from jaxgpt.task import Example, Task
from jaxgpt.tokenizers.characters import Characters


@dataclasses.dataclass(frozen=True)
class Copies(Task):
    """`417=` -> `417`, of at most six digits."""

    def example(self, rng):
        number = str(rng.randrange(10**6))
        return Example(f"{number}=", number)


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


@pytest.mark.parametrize(("max_length", "count"), [(20, 7), (10, 2)])
def test_it_is_that_of_the_best_time_after_the_first(monkeypatch, max_length, count):
    """64 questions of at most 8 tokens, whose answers have 6 and an end, as far as there is room."""
    clock, calls = iter([0.0, 0.125, 10.0, 12.0, 20.0, 20.5, 30.0, 34.0]), []
    monkeypatch.setattr(decoding_speed, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr(
        decoding_speed, "generate", lambda model, prompts, **options: calls.append((len(prompts), options))
    )
    run = SimpleNamespace(
        models=(SimpleNamespace(config=SimpleNamespace(kind="decoder", max_length=max_length)),),
        tokenizer=Characters("0123456789="),
        task=Copies(),
        experiment=SimpleNamespace(training=SimpleNamespace(data_seed=0)),
    )
    assert decoding_speed.tokens_per_second(run) == 64 * count / 0.5
    assert calls == [(64, {"source": None, "max_new_tokens": count, "overflow": "stop"})] * 4


@pytest.mark.parametrize("text", ["[]", "{}", '{"tokens_per_second": "7"}', '{"tokens_per_second": 0}'])
def test_a_file_that_was_changed_is_named(tmp_path, text):
    (tmp_path / decoding_speed.FILE).write_text(text)
    with pytest.raises(ValueError, match=r"decoding\.json tells of no tokens a second; delete it"):
        decoding_speed.read(tmp_path)
