"""A finished run draws where its places look, unless there is nothing to draw."""

import shlex

import pytest
from flax import nnx

from jaxgpt.core.fields import override
from jaxgpt.lab import attended_pictures, chapters, laboratory
from jaxgpt.lab.captured import has_weights
from jaxgpt.lab.material import Reading
from jaxgpt.lab.subject import Subject
from jaxgpt.models import Transformer
from jaxgpt.runs import experiments
from jaxgpt.runs.run import Run
from jaxgpt.runs.run_directory import RunDirectory
from jaxgpt.task import Task
from jaxgpt.tokenizers import build

PICTURES = ("attention.png", "attention_heads.png", "board.png", "distances.png")
RULE = {"task.rule.pairs": "0=3", "task.rule.shortest": "6", "task.rule.longest": "6"}
RULE |= {"task.rule.index-base": "0"}
GRID = {"task.rule": "grid", "task.rule.rows": "2", "task.rule.columns": "3", "task.rule.distances": "2"}
MODEL = {"model.max-length": "8", "model.num-layers": "1", "model.d-model": "8", "model.num-heads": "2"}
TOKENIZER = build("characters", lambda: ["01"])

pytestmark = pytest.mark.usefixtures("quick_compilation")


def untrained(path, seeds=1, **fields):
    """A run whose models were never trained."""
    experiment = override(experiments.find("equal-places"), MODEL | fields)
    config = experiment.model_for(TOKENIZER)
    models = tuple(Transformer(config, rngs=nnx.Rngs(seed)) for seed in range(seeds))
    (path / "checkpoints").mkdir(parents=True)
    return Run(RunDirectory(path), experiment, TOKENIZER, models, 5, "finished")


def drawn(run):
    """What is said, and which pictures are there."""
    said = []
    attended_pictures.draw(run, said.append)
    return said, tuple(name for name in PICTURES if (run.directory.path / name).exists())


def test_python_train_draws_the_places_of_strings_and_says_so(jaxgpt, tmp_path):
    small = {"steps": 4, "batch-size": 4, "train-examples": 10, "keep-spaced": 2, "eval-every": 0}
    small |= {"sample-every": 0, "test-examples": 0}
    fields = MODEL | RULE | {f"training.{name}": value for name, value in small.items()}
    words = [word for name, value in fields.items() for word in (f"--{name}", value)]
    status, output, errors = jaxgpt("train", "equal-places", "--workdir", tmp_path / "run", *words)
    assert status == 0, errors
    said = [line for line in output.splitlines() if line.startswith("where each place looks: ")]
    assert said == [f"where each place looks: {', '.join(str(tmp_path / 'run' / n) for n in PICTURES[:2])}"]
    asked = next(line for line in output.splitlines() if line.startswith("ask it: "))
    assert asked.endswith("--prompt '' --temperature 1.0 --num-samples 10")
    status, output, errors = jaxgpt(*shlex.split(asked.removeprefix("ask it: jaxgpt ")))
    assert status == 0 and len(output.splitlines()) == 10, errors
    assert sorted(path.name for path in (tmp_path / "run").glob("*.png")) == [
        "attention.png",
        "attention_heads.png",
        "learning_curve.png",
    ]
    assert (tmp_path / "run" / "attention.png").read_bytes().startswith(b"\x89PNG")


def test_boards_have_pictures_of_their_own_and_a_page_has_chapters_of_them(tmp_path, monkeypatch):
    run = untrained(tmp_path / "run", seeds=2, **GRID)
    (said,), there = drawn(run)
    assert there == PICTURES and said.endswith("distances.png")
    one = Reading("boards", run, "", "", [], Subject.of(run))
    monkeypatch.setattr(chapters, "OF_RUNS", ())
    found = laboratory.analyse([one], [], lambda line: None).chapters
    assert [chapter.title for chapter in found] == [
        "Where each place looks",
        "Where each cell of a board looks",
    ]


def test_a_model_without_attention_draws_nothing_and_says_nothing(tmp_path):
    for kind in ("gru", "lstm"):
        run = untrained(tmp_path / kind, **RULE, **{"model.mixer": kind})
        assert not has_weights(run.model) and drawn(run) == ([], ())
    encoder = untrained(tmp_path / "encoder", **RULE, **{"model.kind": "encoder", "objective": "masked"})
    assert drawn(encoder) == ([], ())


def test_a_picture_that_cannot_be_drawn_is_told_and_nothing_is_raised(tmp_path, monkeypatch):
    def fails(*given, **named):
        raise RuntimeError("no memory\nfor so much")

    monkeypatch.setattr(attended_pictures, "place_map", fails)
    assert drawn(untrained(tmp_path / "run", **RULE)) == (
        ["no picture of attention: no memory for so much"],
        (),
    )


def test_a_task_without_such_texts_draws_nothing():
    assert Task().attended() is None
