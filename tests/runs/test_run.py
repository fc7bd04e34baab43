"""A run read back: the same logits, its best checkpoint, and what the commands make of it."""

import errno
import io
import json
import os
import sys

import numpy as np
import pytest
from tiny_runs import copied, one_line, records, tiny

import jaxgpt as library
from jaxgpt.cli import lab
from jaxgpt.cli.model_directory import opened
from jaxgpt.lab.subject import Subject
from jaxgpt.parallel.sharding import put, replicated
from jaxgpt.training.prepare import prepare
from tasks.arithmetic import Arithmetic


@pytest.fixture(scope="module")
def live(finished_run):
    """The model of the finished run, trained again here without its files."""
    prepared = prepare(tiny())
    program = prepared.program
    compiled, state = program.compile(prepared.feed.data).compile(), program.init()
    for first in range(0, 20, 5):
        data, indices = prepared.feed(first, 5)
        numbers = [put(np.int32(value), replicated(program.mesh)) for value in (first, 5)]
        state, _ = compiled(state, data, indices, *numbers)
    return program.template.model(state["params"])


@pytest.mark.thorough
def test_a_loaded_model_gives_the_live_model_s_logits(finished_run, live):
    run = library.load(finished_run)
    assert run.step == 20 and len(run.models) == 1 and run.model is run.models[0]
    tokens = np.asarray([[run.tokenizer.bos_id, *run.tokenizer.encode("3+4=")]])
    np.testing.assert_array_equal(run.model(tokens).logits, live(tokens).logits)


def test_checkpoints_by_step_and_best(finished_run, tmp_path):
    kept = {r["step"]: r["validation_loss"] for r in records(finished_run) if "validation_loss" in r}
    on_disk = sorted(int(p.name) for p in (finished_run / "checkpoints").glob("[0-9]*"))
    best = min(on_disk, key=kept.__getitem__)
    assert library.load(finished_run, checkpoint="best").step == best
    first = library.load(finished_run, checkpoint=on_disk[0])
    assert first.step == on_disk[0] < 20
    name = "decoder.norm.scale"
    weights = [np.asarray(run.model.decoder.norm.scale[...]) for run in (first, library.load(finished_run))]
    assert np.abs(weights[0] - weights[1]).max() > 1e-4, name
    with pytest.raises(RuntimeError, match=r"no checkpoint of step 7; it has \["):
        library.load(finished_run, checkpoint=7)


def test_a_run_knows_what_it_was_trained_on(finished_run):
    run, prepared = library.load(finished_run), prepare(tiny())
    found = run.trained_on
    assert list(found.examples) == list(prepared.examples) and len(found.examples) == 100
    assert found.objective == prepared.experiment.objective
    assert found.data_seed == prepared.experiment.training.data_seed


def test_a_step_is_any_whole_number_and_nothing_else(finished_run):
    assert library.load(finished_run, checkpoint=np.int64(15)).step == 15
    with pytest.raises(RuntimeError, match="no checkpoint of step 1;"):
        library.load(finished_run, checkpoint=np.int32(1))
    for wrong in ("15", "Best", 15.0, True, np.True_, None):
        with pytest.raises(ValueError, match=r"must be last, best, selected or a step, a whole number$"):
            library.load(finished_run, checkpoint=wrong)


def test_best_is_the_lowest_validation_loss_not_the_last(finished_run, tmp_path, monkeypatch):
    from jaxgpt.runs.checkpoints import Checkpoints

    losses = {15: 1.0, 20: 2.0}
    monkeypatch.setattr(Checkpoints, "_metadata", lambda self, step: {"loss": losses[step]})
    checkpoints = Checkpoints(finished_run / "checkpoints", fingerprint="", read_only=True)
    assert checkpoints.best() == 15


def test_what_is_no_run(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        library.load(tmp_path / "none")
    with pytest.raises(ValueError, match=r"holds no run.*experiment\.json"):
        library.load(tmp_path)


@pytest.mark.thorough
def test_replicas_come_back_apart(tmp_path, quick_compilation):
    from jaxgpt.runs.session import train

    trained = train(tiny(seeds=2, training__steps=2), tmp_path / "run", say=lambda line: None)
    assert (trained.status, trained.step) == ("finished", 2)
    run = library.load(tmp_path / "run")
    assert (run.status, run.step, run.experiment) == ("loaded", 2, trained.experiment)
    assert run.metrics == trained.metrics and run.evaluation is None  # without test questions
    for mine, theirs in zip(trained.models, run.models, strict=True):
        np.testing.assert_array_equal(mine.embedding.table[...], theirs.embedding.table[...])
    assert len(run.models) == 2
    one, two = (np.asarray(model.embedding.table[...]) for model in run.models)
    assert one.shape == two.shape == (run.tokenizer.vocab_size, 16)
    assert np.abs(one - two).max() > 1e-3
    written = [r for r in records(tmp_path / "run") if "loss" in r]
    assert len(written) == 2
    for record in written:
        assert len(set(record["loss"])) == len(set(record["grad_norm"])) == 2
        assert isinstance(record["learning_rate"], float)


def test_records_are_one_strict_json_object_a_line(finished_run):
    found = records(finished_run)
    assert [r["step"] for r in found if "loss" in r] == list(range(1, 21))
    for record in found:
        assert isinstance(record["step"], int)
    train = next(r for r in found if r["step"] == 7 and "loss" in r)
    assert {"loss", "grad_norm", "learning_rate", "seconds", "tokens_per_second"} <= train.keys()
    assert [r["step"] for r in found if "validation_loss" in r] == [5, 10, 15, 20]
    samples = (finished_run / "samples.txt").read_text().splitlines()
    assert samples and all(line.startswith("step 20: ") and " -> " in line for line in samples)


def test_generate(jaxgpt, finished_run, tmp_path):
    status, output, _ = jaxgpt("generate", finished_run, "--prompt", " 3 + 4 ")
    assert status == 0
    answer = library.load(finished_run).generate("3+4")[0][0]
    assert output.splitlines()[-1] == answer
    (tmp_path / "prompts.txt").write_text("3+4\n\n1+1\n")
    words = ["--prompts", tmp_path / "prompts.txt", "--output", tmp_path / "out.txt", "--num-samples", "2"]
    words += ["--temperature", "1.0", "--seed", "3", "--max-new-tokens", "3", "--stop", "9"]
    status, output, errors = jaxgpt("generate", finished_run, *words)
    assert status == 0, errors
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(line["prompt"], line["sample"]) for line in lines] == [
        ("3+4", 0),
        ("3+4", 1),
        ("1+1", 0),
        ("1+1", 1),
    ]
    assert lines[0]["step"] == 20 and lines[0]["sampling"]["temperature"] == 1.0
    assert lines[0]["max_new_tokens"] == 3 and lines[0]["stop"] == ["9"]
    text = (tmp_path / "out.txt").read_text()
    assert text.startswith(f"3+4\n{lines[0]['completion']}\n") and "1+1\n" in text


def test_a_run_has_its_name_wherever_it_is_asked_from(jaxgpt, finished_run, tmp_path, monkeypatch):
    monkeypatch.chdir(finished_run)
    status, _, errors = jaxgpt("generate", ".", "--prompt", "3+4", "--output", tmp_path / "out.txt")
    assert status == 0, errors
    (line,) = (tmp_path / "out.jsonl").read_text().splitlines()
    assert json.loads(line)["run"] == finished_run.name
    assert opened(".", "last").name == Subject.of(".").name == finished_run.name
    monkeypatch.chdir(finished_run / "checkpoints")
    assert opened("..", "last").name == finished_run.name and list(lab._named([".."])) == [finished_run.name]


@pytest.mark.parametrize("name", ["out.txt", "out.jsonl"])
def test_answers_that_cannot_be_written_leave_the_old_ones(jaxgpt, finished_run, tmp_path, monkeypatch, name):
    for old in ("out.txt", "out.jsonl"):
        (tmp_path / old).write_text("old")
    replace = os.replace

    def full(source, target, **options):
        if str(target) == str(tmp_path / name):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target, **options)

    monkeypatch.setattr(os, "replace", full)
    words = ("--prompt", "3+4", "--output", tmp_path / "out.txt")
    status, _, errors = jaxgpt("generate", finished_run, *words)
    assert status == 2
    assert one_line(errors).endswith(f"{name} cannot be written (No space left on device); make room")
    assert (tmp_path / name).read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "out.txt"]


def test_what_cannot_be_answered_does_not_stand_among_the_answers(jaxgpt, finished_run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("3+4\nthree\n1+1\n"))
    status, output, errors = jaxgpt("generate", finished_run)
    answers = [answer for (answer,) in library.load(finished_run).generate(["3+4", "1+1"])]
    assert status == 2 and output.splitlines()[-2:] == answers and "error" not in output
    told = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert "cannot read 'three'" in told[0] and "1 of the prompts could not be answered" in told[1]


@pytest.mark.parametrize("end", ["\r\n", "\r\r\n", "\r"])
def test_the_lines_of_standard_input_end_as_those_of_files(jaxgpt, finished_run, monkeypatch, end):
    """What a line holds behind its prompt would be a part of it; running text shows it."""
    monkeypatch.setattr(Arithmetic, "layout", "stream")
    monkeypatch.setattr(Arithmetic, "prompt", lambda self, text: text)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"3+4={end}1+1={end}"))
    asked = []
    monkeypatch.setattr(
        "jaxgpt.generation.stream", lambda model, tokenizer, ids, **given: asked.append(ids) or iter(())
    )
    status, _, errors = jaxgpt("generate", finished_run)
    assert status == 0, errors
    tokenizer = library.load(finished_run).tokenizer
    assert asked == [tokenizer.begun(tokenizer.encode(text)) for text in ("3+4=", "1+1=")]


def test_a_text_that_cannot_be_gone_on_with_is_not_printed(jaxgpt, finished_run, monkeypatch):
    """Of a task of running text the answer stands on the line of its prompt."""
    monkeypatch.setattr(Arithmetic, "layout", "stream")
    monkeypatch.setattr(sys, "stdin", io.StringIO("3+4\nthree\n1+1\n"))
    status, output, errors = jaxgpt("generate", finished_run, "--max-new-tokens", "3")
    assert status == 2 and "cannot read 'three'" in errors
    assert [line[:3] for line in output.splitlines()[-2:]] == ["3+4", "1+1"] and "three" not in output


def test_a_text_that_breaks_off_ends_its_line(jaxgpt, finished_run, monkeypatch):
    def broken(*given, **options):
        yield "5"
        raise ValueError("too long")

    monkeypatch.setattr(Arithmetic, "layout", "stream")
    monkeypatch.setattr("jaxgpt.generation.stream", broken)
    status, output, errors = jaxgpt("generate", finished_run, "--prompt", "3+4")
    assert status == 2 and "too long" in one_line(errors)
    assert output.splitlines(keepends=True)[-1] == "3+45\n"


def test_a_prompt_is_a_text(finished_run):
    with pytest.raises(ValueError, match=r"^prompts: 12 is no text; give it in quotation marks$"):
        library.load(finished_run).generate(["3+4", 12])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--prompt", "three"], "cannot read 'three' as a question"),
        (["--prompt", "1+1", "--prompts", "x"], "exclude each other"),
        (["--prompts", "none.txt"], "--prompts none.txt cannot be read (No such file"),
        (["--prompt", "1+1", "--temprature", "1"], "--temperature"),
        (["--prompt", "1+1", "--temperature", "warm"], "temperature='warm' is not of type float"),
        (["--prompt", "1+1", "--checkpoint", "first"], "--checkpoint first: last, best, selected or a step"),
        (["--prompt", "1+1", "--max-new-tokens", "0"], "at least 1"),
        (["--prompt", "123456789123456789+1"], "max_length"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_generate_errors(jaxgpt, finished_run, words, message):
    status, _, errors = jaxgpt("generate", finished_run, *words)
    assert status == 2
    assert message in one_line(errors)


def test_evaluate(jaxgpt, finished_run, tmp_path):
    run = copied(finished_run, tmp_path / "run")
    words = ["--n", "4", "--split", "validation", "--output", tmp_path / "figures.json"]
    status, output, errors = jaxgpt("evaluate", run, *words)
    assert status == 0, errors
    assert json.loads((tmp_path / "figures.json").read_text())["split"] == "validation"
    assert "figures.json" in output
    status, _, errors = jaxgpt("evaluate", run, "--model.d-model", "8")
    assert status == 2 and "only --task fields" in one_line(errors)
    status, _, errors = jaxgpt("evaluate", run, "--split", "tset")
    assert status == 2 and "known: train, validation, test" in one_line(errors)


def test_training_while_a_run_is_read_changes_nothing(finished_run, tmp_path):
    """Loading makes no file: a training process may be at work."""
    before = {p: p.stat().st_mtime_ns for p in finished_run.rglob("*")}
    library.load(finished_run)
    assert {p: p.stat().st_mtime_ns for p in finished_run.rglob("*")} == before
