"""The command line in this process: help, names, values, and where runs lie."""

import json
import re

import pytest
from tiny_runs import TINY, arguments, one_line, records

from jaxgpt.runs import experiments

EXPERIMENT = '''
"""A task and an experiment outside of the repository."""

import dataclasses

from jaxgpt.training.experiment import Experiment
from jaxgpt.task import Example, Task


@dataclasses.dataclass(frozen=True)
class Echo(Task):
    """Repeats a digit."""

    def example(self, rng):
        digit = str(rng.randrange(100))
        return Example(digit + ">", digit)


def echo() -> Experiment:
    """Repeats two digits."""
    return Experiment(task=Echo(), tokenizer="digits")


def broken():
    return 3
'''


def test_list_names_every_experiment(jaxgpt):
    status, output, _ = jaxgpt("train", "--list")
    assert status == 0
    listed = re.findall(r"^  (\S+)", output, flags=re.MULTILINE)
    assert sorted(name.replace("-", "_") for name in listed) == list(experiments.available())
    assert "addition" in listed and "Addition of 1 to" in output
    assert not [name for name in listed if name.startswith("-")]  # helpers of a module are no experiments


def test_list_groups_experiments_and_says_what_each_needs(jaxgpt):
    output = jaxgpt("train", "--list")[1]
    blocks = dict(block.split(":\n", 1) for block in output.split("\n\n")[:-1])
    assert len(blocks) < 8 and "other" not in blocks  # every task of ours has a heading
    assert "  subtraction " in blocks["sums, differences, products"]
    texts = " ".join(blocks["files of your own"].split())
    assert "  text " in blocks["files of your own"] and "Needs a file of text: --task.path." in texts
    assert "Takes 2 min on two CPU cores." in texts
    assert "Needs a GPU." in " ".join(blocks["magic squares of primes"].split())
    assert max(map(len, output.splitlines())) <= 110


def test_help_has_types_defaults_and_overrides(jaxgpt):
    status, output, _ = jaxgpt("train", "addition", "--help")
    assert status == 0
    lines = options(output)
    assert "(default: 2)" in lines["--model.num-layers"] and " int " in lines["--model.num-layers"]
    assert "constant, linear, cosine" in lines["--optimizer.schedule"]
    assert "rotary" in lines["--model.position"]
    assert {"--workdir", "--resume", "--dry-run", "--list", "--distributed", "--traceback"} <= lines.keys()
    every = options(jaxgpt("train", "addition", "--help-all")[1])
    assert "--model.position.reach" in every  # a field of this experiment's position scheme
    changed = jaxgpt("train", "addition", "--help-all", "--model.position", "abacus", "--seeds=3")[1]
    assert "--model.position.max-offset" in changed and "(default: 3)" in options(changed)["--seeds"]


def test_the_help_shows_the_model_that_would_be_trained(jaxgpt, finished_run):
    sized = options(jaxgpt("train", "addition", "--model", "4x128", "--help")[1])
    assert "(default: 4)" in sized["--model.num-layers"] and "(default: 128)" in sized["--model.d-model"]
    started = options(jaxgpt("train", "addition", "--model.init", finished_run, "--help-all")[1])
    assert "(default: 16)" in started["--model.d-model"] and "(default: 2)" in started["--model.num-heads"]
    without = options(jaxgpt("train", "synopses-gpt2", "--help-all")[1])  # whose weights are not there
    assert "(default: gpt2)" in without["--model.init"]


def options(output: str) -> dict[str, str]:
    """The options of a help page by their names, each on one line."""
    entries = re.split(r"\n  (?=--)", output)
    return {entry.split()[0]: " ".join(entry.split()) for entry in entries[1:]}


@pytest.mark.parametrize("command", ["evaluate", "generate"])
def test_other_commands_have_help(jaxgpt, command):
    status, output, _ = jaxgpt(command, "--help")
    assert status == 0 and "--checkpoint" in output
    assert jaxgpt(command)[0] == 2  # no run is named


def test_no_command(jaxgpt):
    assert jaxgpt()[0] == 2
    assert jaxgpt("--help")[0] == 0
    assert "known: train, evaluate, generate" in one_line(jaxgpt("trian")[2])


def test_dry_run_writes_nothing(jaxgpt, tmp_path, monkeypatch, quick_compilation):
    monkeypatch.chdir(tmp_path)
    status, output, _ = jaxgpt("train", *arguments(tmp_path / "run"), "--dry-run")
    assert status == 0
    assert "parameters" in output and "<bos>" in output and "*steps=20" in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["adition"], "no experiment is called 'adition'; did you mean addition"),
        (
            ["addition", "--model.num-layer", "3"],
            "no field 'model.num-layer'; did you mean --model.num-layers",
        ),
        (["addition", "--num-layers", "3"], "--model.num-layers"),
        (["addition", "--training.steps", "many"], "training.steps='many' is not of type int"),
        (["addition", "--training.steps", "0"], "training.steps=0 must be at least 1"),
        (["addition", "--training.steps=-5"], "training.steps=-5 must be at least 1"),
        (["addition", "--optimizer.learning-rate", "-1"], "optimizer.learning_rate=-1.0 must be positive"),
        (["addition", "--optimizer.schedule", "cosin"], "did you mean cosine"),
        (["addition", "--model.position", "rotery"], "did you mean rotary"),
        (["addition", "--model.d-model", "131"], "not divisible by num_heads=2"),
        (["addition", "--task.max-digits", "none"], "task.max-digits='none' is not of type int"),
        (["addition", "--tokenizer", "digit"], "digits"),
        (["addition", "--seeds", "0"], "seeds=0 must be at least 1"),
        (["addition", "--training.batch-size", "6", "--training.accumulation", "4"], "batch_size=6"),
        (["addition", "--training.mesh.tensor", "3"], "does not fit 1 devices"),
        (["addition", "--training.seed", "-1"], "training.seed=-1 must not be negative"),
        (["addition", "subtraction"], "'subtraction' is one argument too many"),
        (["addition", "--training.steps"], "--training.steps needs a value"),
        (["addition", "--workdir", "--resume"], "--workdir needs a value"),
        (["addition", "--training.steps", "1", "--training.steps", "2"], "given twice"),
        (["addition", "--resume=yes"], "--resume takes no value"),
        (["addition", "--dry_run=yes"], "--dry-run takes no value"),
        (["no_such_module:thing"], "no module named 'no_such_module'"),
        (["tasks.arithmetic:adition"], "did you mean addition"),
        (["tasks.arithmetic:Arithmetic"], "is no function that returns an Experiment"),
        (["os:getcwd"], "is no function that returns an Experiment"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_errors_name_the_way_out(jaxgpt, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    given = {word.lstrip("-").partition("=")[0] for word in words}
    for name, value in TINY.items():  # should one not be refused, it soon ends
        if name not in given:
            words = [*words[:1], f"--{name}={value}", *words[1:]]
    status, _, errors = jaxgpt("train", *words)
    assert status == 2
    assert message in one_line(errors)


def test_values_after_an_equals_sign(jaxgpt, tmp_path):
    words = [f"--workdir={tmp_path / 'run'}", "--model.num_layers=3", "--task.extra-digits=", "--dry-run"]
    status, _, _ = jaxgpt("train", "addition", "--help", *words)
    assert status == 0
    words = [word.replace("num_layers=3", "num_layers=three") for word in words]
    assert "is not of type int" in one_line(jaxgpt("train", "addition", "--help", *words)[2])


def test_resume_without_a_run(jaxgpt, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "no run of addition in runs/" in one_line(jaxgpt("train", "--resume")[2])
    message = one_line(jaxgpt("train", "--resume", "--workdir", tmp_path / "none")[2])
    assert "holds no run" in message and "experiment.json" in message
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name", ["{}/runs/addition", "runs/addition", "/none", "addit*", "[a]ddition", "**"])
def test_no_name_of_an_experiment_is_a_pattern_or_a_path(jaxgpt, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "addition").mkdir(parents=True)
    (tmp_path / "runs" / "addition" / "experiment.json").write_text("{}")
    message = one_line(jaxgpt("train", name.format(tmp_path), "--resume")[2])
    assert message.startswith("error: no experiment is called '")


@pytest.mark.thorough
def test_an_experiment_outside_of_the_repository(jaxgpt, tmp_path, monkeypatch, quick_compilation):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_echo_tasks.py").write_text(EXPERIMENT)
    assert "is no function" in one_line(jaxgpt("train", "my_echo_tasks:broken")[2])
    words = [f"--{name}={value}" for name, value in TINY.items() if not name.startswith("task.")]
    words = [word for word in words if "training.steps" not in word]
    words += ["--workdir", "run", "--training.steps", "2"]
    status, output, errors = jaxgpt("train", "my_echo_tasks:echo", *words)
    assert (status, errors) == (0, "")
    recorded = json.loads((tmp_path / "run" / "experiment.json").read_text())
    assert recorded["task"]["kind"] == "my_echo_tasks:Echo"
    assert [r["step"] for r in records("run") if "loss" in r] == [1, 2]
    status, output, _ = jaxgpt("generate", "run", "--prompt", "7>", "--max-new-tokens", "2")
    assert status == 0 and len(output) <= 4


@pytest.mark.thorough
def test_a_position_scheme_and_a_preset_by_name(jaxgpt, tmp_path, quick_compilation):
    words = arguments(tmp_path / "run", model__position="abacus")
    assert " *position=abacus" in " ".join(jaxgpt("train", *words, "--dry-run")[1].split())
    words = arguments(tmp_path / "run", model="gpt2", model__position="learned", model__num_layers="2")
    status, output, _ = jaxgpt("train", *words, "--dry-run")
    assert status == 0
    assert "*d_model=16 *num_heads=2" in output  # given beside the preset
    assert "dropout=0.1" in output  # the preset's, not the experiment's
    assert "norm_bias=" not in output and "--all shows them" in output
