"""Every task that reads files: what they held is recorded, a change is refused, they may move."""

import dataclasses
import json
import shutil

import pytest
from tiny_runs import one_line, tiny

from jaxgpt.cli import compare as command
from jaxgpt.comparison import preflight
from jaxgpt.core import fields
from jaxgpt.runs import experiments
from jaxgpt.runs import run_directory as rundir
from jaxgpt.runs.session import train
from jaxgpt.task import Task

PATHS = [n for n in Task.names() if "path" in {f.name for f in dataclasses.fields(Task.named(n))}]
FILES = [name for name in PATHS if name != "tokens"]


def lines(name, word="tide", count=400):
    """What a task can read, a paragraph for every number."""
    if name == "pairs":
        return [f"the {word} {n}\t{n * n}\n" for n in range(count)]
    if name == "translation":
        return [f"the {word} {n} comes in.\tla marée {n} entre.\n" for n in range(count)]
    if name == "genres":
        genres = ("Drama", "Comedy")
        rows = [f'{genres[n % 2]},"The {word} {n} comes in, and goes out."\n' for n in range(count)]
        return ["genres,synopsis\n", *rows]
    return [f"The {word} {n} comes in. The other {word} {n} goes out.\n\n" for n in range(count)]


def made(name, path, **more):
    path.write_text("".join(lines(name)))
    task = dataclasses.replace(experiments.find(name).task, path=str(path), **more)
    return dataclasses.replace(task, min_characters=1) if name == "synopses" else task


@pytest.fixture
def task(request, tmp_path):
    return made(request.param, tmp_path / "file.txt").pinned()


def read(task):
    return [example for split in ("train", "validation") for example in task.examples(split)]


def test_the_tasks_over_files_are_found():
    assert {"names", "pairs", "sentence_pairs", "synopses", "text", "tokens"} <= set(PATHS)


@pytest.mark.parametrize("name", [name for name in Task.names() if name != "datasets"])
def test_every_field_that_names_a_file_may_move(name):
    task = Task.named(name)
    told = [row.path for row in fields.describe(task()) if row.help.startswith(("file", "directory"))]
    assert set(told) == set(task.file_fields) and "hold_out" in told
    assert task().fingerprint == "" and ("path" in told) == (name in PATHS)


@pytest.mark.parametrize("task", FILES, indirect=True)
def test_the_same_bytes_elsewhere_go_on(task, tmp_path):
    first = read(task)
    (tmp_path / "file.txt").rename(tmp_path / "moved.txt")
    moved = dataclasses.replace(task, path=str(tmp_path / "moved.txt"))
    assert moved.pinned() == moved and read(moved) == first
    experiment = experiments.find(type(task).kind())
    old, new = (dataclasses.replace(experiment, task=each) for each in (task, moved))
    assert [row.split(":")[0] for row in rundir.changes(old, new)] == ["task.path"]


@pytest.mark.parametrize("task", FILES, indirect=True)
@pytest.mark.parametrize("how", ["shorter", "as long"])
def test_a_changed_file_is_refused(task, tmp_path, how):
    read(task)
    parts = lines(type(task).kind(), "tide" if how == "shorter" else "wave")
    (tmp_path / "file.txt").write_text("".join(parts[:-1] if how == "shorter" else parts))
    for attempt in (task.pinned, lambda: read(task), lambda: list(task.questions("test"))):
        with pytest.raises(ValueError, match=r"\A[^\n]{,300}\Z") as error:
            attempt()
        message = str(error.value)
        expected = "bytes, and had" if how == "shorter" else "other text than when the run began"
        assert message.startswith(f"{tmp_path / 'file.txt'} ") and expected in message
        assert "begin anew in another --workdir" in message and "--task.path" in message
    assert read(dataclasses.replace(task, fingerprint=""))


@pytest.mark.parametrize("task", FILES, indirect=True)
def test_a_missing_file_is_told_as_such(task, tmp_path):
    (tmp_path / "file.txt").unlink()
    with pytest.raises(ValueError, match="cannot be read"):
        read(task)


@pytest.mark.thorough
def test_a_run_goes_on_with_its_own_data_alone(tmp_path, jaxgpt):
    path, run = tmp_path / "poem.txt", tmp_path / "run"
    options = {
        "model": "tiny",
        "model.max_length": "16",
        "task.path": str(path),
        "task.split_by": "tail",
        "training.steps": "1",
        "training.batch_size": "2",
        "training.test_examples": "2",
        "training.eval_examples": "2",
    }
    made("text", path)
    experiment = fields.override(experiments.find("text"), options)
    train(experiment, run, say=lambda line: None)
    recorded = json.loads((run / "resolved.json").read_text())["fingerprint"]
    assert recorded.startswith(f"{path.stat().st_size}-")
    copy = tmp_path / "copy.txt"
    shutil.copy(path, copy)
    path.write_text("".join(lines("text")[1:]))
    longer = fields.override(experiment, {"training.steps": "2"})
    with pytest.raises(ValueError, match="when the run began"):
        train(longer, run, resume=True, say=lambda line: None)
    for words in [("train", "--resume", "--workdir", run, "--training.steps", 2), ("evaluate", run)]:
        assert "when the run began" in one_line(jaxgpt(*words)[2])
    assert jaxgpt("evaluate", run, "--other-files", "--n", 2)[0] == 0
    words = ("evaluate", run, "--task.path", copy, "--n", 2)
    assert jaxgpt(*words)[0] == 0
    # The same text with another border would ask what was trained on.
    assert "cannot change in an evaluation" in one_line(jaxgpt(*words, "--task.held-out", 0.3)[2])
    said = []
    train(fields.override(longer, {"task.path": str(copy)}), run, resume=True, say=said.append)
    assert any("going on from step 1" in line for line in said)


@pytest.fixture
def held(tmp_path):
    """An experiment whose training leaves out the questions of a file, and the file."""
    path = tmp_path / "questions.txt"
    path.write_text("1+2\n3+4\n")
    return tiny(task__hold_out=str(path), training__steps=1), path


@pytest.mark.thorough
def test_questions_kept_out_are_recorded_and_may_move(held, tmp_path):
    experiment, path = held
    run = tmp_path / "run"
    train(experiment, run, say=lambda line: None)
    moved = path.rename(tmp_path / "moved.txt")
    longer = tiny(task__hold_out=str(moved), training__steps=2)
    said = []
    train(longer, run, resume=True, say=said.append)
    assert any("going on from step 1" in line for line in said)
    moved.write_text("1+2\n3+5\n")
    with pytest.raises(ValueError, match=r"in as many bytes.*begin anew"):
        train(longer, run, resume=True, say=said.append)


@pytest.mark.thorough
def test_questions_cannot_be_kept_out_later(held, tmp_path, jaxgpt):
    _, path = held
    run = tmp_path / "run"
    train(tiny(training__steps=1), run, say=lambda line: None)
    later = tiny(task__hold_out=str(path), training__steps=2)
    with pytest.raises(ValueError, match=r"cannot go on with these: task\.hold_out"):
        train(later, run, resume=True, say=lambda line: None)
    assert "cannot change" in one_line(jaxgpt("evaluate", run, "--task.hold-out", path)[2])


@pytest.mark.parametrize("field", ["test_path", "validation_path", "hold_out"])
def test_every_file_of_pairs_is_compared(field, tmp_path):
    other = tmp_path / "other.tsv"
    other.write_text("the tide 500\t1\n")
    task = made("pairs", tmp_path / "pairs.tsv", **{field: str(other)}).pinned()
    assert read(task)
    other.write_text("the tide 501\t1\n")
    with pytest.raises(ValueError, match=rf"{other} holds other text.*--task.{field.replace('_', '-')}"):
        read(dataclasses.replace(task))


@pytest.mark.thorough
def test_every_cell_of_a_comparison_has_the_fingerprint(tmp_path):
    task = made("pairs", tmp_path / "pairs.tsv")
    words = ["pairs", "--task.path", task.path, "--tokenizers", "bytes,characters", "--training.steps", "1"]
    found = preflight.plan(command.request(command.parser().parse(words)))
    assert {cell.experiment.task.fingerprint for cell in found.cells} == {task.pinned().fingerprint}
