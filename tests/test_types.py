"""What mypy says of a user's file: mistakes are found before anything runs, and right code passes."""

import configparser
import re
import subprocess
import sys

import pytest
from documents import ROOT, blocks

import jaxgpt

WRONG = """
import jax.numpy as jnp

import jaxgpt
from jaxgpt import ModelConfig, TrainingConfig

ModelConfig(d_modl=64)  # call-arg
TrainingConfig(steps="100")  # arg-type
run = jaxgpt.load(3)  # arg-type
run.modle  # attr-defined
run.model(jnp.zeros((1, 2), int)).loss  # attr-defined
answer: int = run.generate("1+1")  # assignment
jaxgpt.evaluate(run.model, run.tokenizer, run.task)  # arg-type
jaxgpt.train(run, "runs/x")  # arg-type
jaxgpt.evaluate(run.models, run.tokenizer, run.task, data_seed=1)  # call-arg
jaxgpt.compare(run.experiment, {"tokenizer": 3})  # dict-item
jaxgpt.compare(run.experiment, {"tokenizer": ["a", "b"]}, budgets=["steps"])  # list-item
seeds: str = run.metrics[0].seed  # assignment
run.evaluation.table()  # union-attr
jaxgpt.Trainer(run.experiment).step("3")  # arg-type
jaxgpt.generete(run.model, [[1]], max_new_tokens=3)  # attr-defined
"""
RIGHT = """
import dataclasses
from pathlib import Path

import jaxgpt
from jaxgpt import AdamW, Experiment, Sampling, TrainingConfig


def shorter(experiment: Experiment) -> Experiment:
    training = TrainingConfig(steps=10, batch_size=4)
    return dataclasses.replace(experiment, training=training, optimizer=AdamW(), seeds=2)


run = jaxgpt.load("runs/addition", checkpoint="best")
trained = jaxgpt.train(shorter(run.experiment), Path("x"), say=lambda line: None)
print(trained.status, trained.step + 1, jaxgpt.__version__)
losses: list[float | None] = [row.value for row in trained.metrics if row.name == "loss" and row.seed == 0]
if trained.evaluation is not None:
    print(trained.evaluation.table(), trained.models[0].config.d_model)
result = jaxgpt.evaluate([run.model], run.tokenizer, run.task, n=10, kept=jaxgpt.Kept(mistakes=0))
results = jaxgpt.compare(run.experiment, {"tokenizer": ["digits", "bytes"]}, seeds=4, budgets=["examples"])
figures: list[dict[str, object]] = results.rows()
trainer = jaxgpt.Trainer(run.experiment)
trainer.step(2)
print(trainer.losses.shape, trainer.evaluate(n=5).table(), trainer.models[0].config)
print(result.table(), [row.exact_match.mean for row in result.groups])
sampled: list[list[str]] = run.generate("1+1", sampling=Sampling(temperature=0.5))
loaded = jaxgpt.load_hf("directory")
jaxgpt.save_hf(loaded.model, "out", family="gpt2", tokenizer=loaded.tokenizer)
"""


@pytest.fixture(scope="module")
def mypy(tmp_path_factory):
    """Writes files and checks them with mypy, strictly; the lines that it prints."""
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("types")

    def check(**files: str) -> list[str]:
        paths = []
        for name, text in files.items():
            paths.append(folder / f"{name}.py")
            paths[-1].write_text(text, encoding="utf-8")
        options = ["--strict", "--follow-imports=silent", "--no-error-summary", "--config-file="]
        options.append(f"--cache-dir={folder / 'cache'}")
        done = subprocess.run(
            [sys.executable, "-m", "mypy", *options, *(path.name for path in paths)],
            cwd=folder,
            env={"MYPYPATH": str(ROOT), "PATH": ""},  # an editable install is nothing that mypy finds
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert not done.stderr, done.stderr
        return done.stdout.splitlines()

    return check


@pytest.mark.thorough
def test_mypy_finds_mistakes_and_nothing_else(mypy):
    documents = (ROOT / "README.md", ROOT / "docs/tutorial.md")
    shown = {
        f"{document.stem.lower()}_{block.line}": block.text
        for document in documents
        for block in blocks(document)
        if block.language == "python" and (block.file == "mine/successor.py" or document == documents[0])
    }
    assert len(shown) == 2
    found: dict[str, set[str]] = {}
    for line in mypy(wrong=WRONG, right=RIGHT, **shown):
        if match := re.fullmatch(r"(\w+\.py:\d+): error: .*\[([a-z-]+)\]", line):
            found.setdefault(match[1], set()).add(match[2])
    assert found == {
        f"wrong.py:{number}": set(line.partition("  # ")[2].split(", "))
        for number, line in enumerate(WRONG.splitlines(), 1)
        if "  # " in line
    }


def test_the_types_are_part_of_what_is_installed():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    for package in ("jaxgpt", "tasks"):
        assert setup["options.package_data"][package] == "py.typed"
        assert (ROOT / package / "py.typed").is_file()


def test_every_public_name_is_known_to_whoever_reads_the_types():
    source = (ROOT / "jaxgpt" / "__init__.py").read_text(encoding="utf-8")
    for name in jaxgpt.__all__:
        assert f" import {name} as {name}\n" in source
        assert getattr(jaxgpt, name) is not None


def test_the_version_is_said(capsys):
    from jaxgpt.cli.main import main

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"jaxgpt {jaxgpt.__version__}\n"
