"""`jaxgpt lab`: one page of a run, and three models of three texts."""

import csv
import dataclasses
import re
import shutil

import pytest
from flax import nnx
from lab_models import made_up, text_experiment
from tiny_runs import one_line

from jaxgpt import tokenizers
from jaxgpt.cli import lab
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.lab import chapters, fine_tuning_file, laboratory, material, three_domains
from jaxgpt.lab.fine_tuning import FineTuning
from jaxgpt.lab.material import ASKED, asked, reading
from jaxgpt.lab.subject import Subject
from jaxgpt.lab.text_loss import TextLoss
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.runs.run import load
from jaxgpt.runs.session import train
from jaxgpt.training.prepare import prepare

WORDS = "sea salt sail tide gull 12 7"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    (folder / "sea.txt").write_text(made_up(WORDS, 400))
    train(text_experiment(folder / "sea.txt"), folder / "sea", say=lambda line: None)
    return folder / "sea"


def test_what_is_read_of_a_text(run):
    one = reading("sea", load(run))
    whole = made_up(WORDS, 400)
    assert one.training + one.held_out == whole  # nanoGPT's split: the last tenth
    assert 1 < len(one.asked) <= ASKED
    for prompt, target in one.asked:
        assert prompt + target in one.held_out
    # The likeliest token stands for a target that is not given.
    ((prompt, target),) = asked([one], ["sea s"], [])
    assert prompt == "sea s" and len(target) == 1
    assert asked([one], [], []) == [one.asked[0]]
    for wrong, words in (((["sea"], ["a", "b"]), "2 targets for 1"), ((["Zoo"], ["a"]), "sea: .*'Z'")):
        with pytest.raises(ValueError, match=words):
            asked([one], *wrong)


def test_prompts_of_wide_characters_fit_the_model():
    """A prompt is cut by characters, and a model reads tokens, here three of a character."""
    tokenizer = tokenizers.build("bytes", lambda: ())
    config = ModelConfig(vocab_size=tokenizer.vocab_size, d_model=8, num_heads=2, num_layers=1, max_length=32)
    subject = Subject((Transformer(config, rngs=nnx.Rngs(0)),), tokenizer)
    prompts = [prompt for prompt, _ in material._cut(subject, "ab海洋" * 100)]
    assert prompts and all(2 < len(subject.encode(prompt)) <= 30 for prompt in prompts)


def test_a_model_that_has_seen_a_text_is_found(run):
    one = reading("sea", load(run))
    assert (
        not one.has_seen(one.held_out) and one.has_seen(one.training) and one.has_seen(one.training[500:1500])
    )
    other = dataclasses.replace(one, name="other", held_out=one.training[:4000])
    told = chapters.across([one, other], [])
    assert "sea was trained on text that is held out of other" in told.text
    assert "held out of sea" not in told.text


@pytest.mark.thorough
def test_a_page_of_a_run(run, tmp_path, jaxgpt):
    words = ("--output", tmp_path / "page", "--prompt", "sea s", "--target", "a")
    status, output, _ = jaxgpt("lab", run, *words)
    assert status == 0 and f"written: {tmp_path / 'page' / 'report.html'}" in output
    page = (tmp_path / "page" / "report.html").read_text()
    titles = re.findall("<h2[^>]*>(.*?)</h2>", page)
    assert "What the texts are made of" in titles and "Which method to trust" in titles
    assert "://" not in page
    told = set(re.findall(r"numbers/([\w-]+\.csv)", page))
    files = {path.name for path in (tmp_path / "page" / "numbers").iterdir()}
    assert told == files and len(files) >= 12
    for path in (tmp_path / "page" / "numbers").iterdir():
        header, *rows = csv.reader(path.read_text().splitlines())
        assert rows and all(len(row) == len(header) for row in rows), path.name


@pytest.mark.thorough
def test_a_page_of_a_run_of_questions_says_what_is_not_on_it(finished_run, tmp_path):
    one = reading("sums", load(finished_run))
    assert not one.held_out and len(one.asked) > 1
    found = laboratory.analyse([one], asked([one], [], []), lambda line: None)
    assert "the task of sums asks questions" in found.left_out[0]
    assert not any("one checkpoint alone" in told for told in found.left_out)
    alone = dataclasses.replace(one, source=one.subject)
    found = laboratory.analyse([alone], [], lambda line: None)
    assert "how sums learned: one checkpoint alone was kept" in found.left_out[1]
    found = laboratory.analyse([one], asked([one], [], []), lambda line: None)
    titles = [chapter.title for chapter in found.chapters]
    assert "The next token" in titles and "How numbers lie" in titles and "Loss over training" not in titles


def test_runs_of_one_name_are_told_apart_by_their_paths(tmp_path):
    runs = [str(tmp_path / "a" / "x"), str(tmp_path / "b" / "x")]
    assert list(lab._named([runs[0], str(tmp_path / "y") + "/"])) == ["x", "y"]
    names = list(lab._named(runs))
    assert len(names) == 2 and not any("/" in name for name in names)
    assert names[0].endswith("-a-x") and names[1].endswith("-b-x")
    assert list(lab._named(["a-b/c", "a/b/c", "d/c"])) == ["a-b-c", "a-b-c-2", "d-c"]  # no run is lost


def test_what_does_not_fit_ends_in_one_line(run, tmp_path, jaxgpt):
    three = ("lab", "three-domains")
    for name in three_domains.DOMAINS:
        three += (f"--{name}", run.parent / "sea.txt")
    cases = {
        ("lab",): "needs RUN",
        ("lab", tmp_path / "nothing"): "does not exist",
        ("lab", run / "experiment.json"): "is a file; give the run directory",
        ("lab", run, "--seeds", 2): "--seeds is for three-domains",
        ("lab", run, "--training.steps", 5): "runs are read as they are",
        ("lab", "three-domains"): "needs a file of text: --wikipedia FILE",
        ("lab", run, "three-domains"): "stands alone",
        (*three, "--target", "x"): "1 targets for 0 prompts",
        (*three, "--target", "x", "--target", "y", "--prompt", "a"): "2 targets for 1 prompts",
        ("lab", run, "--prompt", "Q"): "'Q'",
        ("lab", run, "--prompt", "sea", "--target", "gull"): "4 tokens; give the text of a single one",
    }
    for words, wanted in cases.items():
        status, _, errors = jaxgpt(*words)
        assert status == 2 and wanted in one_line(errors), words
    assert not (run / "lab").exists()


def test_a_training_on_another_text_is_read_from_its_file_unless_it_is_of_something_else(tmp_path):
    loss = TextLoss(Estimate(2.0, (1.5, 2.5), (1.9, 2.1)), Estimate(1.0, None, (1.0, 1.0)), 0.25)
    found = FineTuning("sea", 5, "hill", (0, 3), (loss, loss), (loss, loss), (loss, loss))
    path = tmp_path / "further" / "pair.json"
    assert fine_tuning_file.read(path, ["a"]) is None
    fine_tuning_file.write(path, found, ["a"])
    assert fine_tuning_file.read(path, ["a"]) == found
    assert fine_tuning_file.read(path, ["b"]) is None
    for text in (
        "",
        "[]",
        path.read_text().replace("2.5]", '"x"]'),
        path.read_text().replace("gained", "won"),
    ):
        path.write_text(text)
        assert fine_tuning_file.read(path, ["a"]) is None
    assert dataclasses.asdict(found)["step"] == 5


def test_training_on_another_text_is_as_short_for_models_that_were_trained_for_epochs(run):
    plain = load(run).experiment
    epochs = dataclasses.replace(plain, training=dataclasses.replace(plain.training, epochs=7.5))
    further = three_domains.further_training(epochs)
    assert prepare(further).resolved.steps == three_domains.STEPS == 200
    assert further == three_domains.further_training(plain)


def test_the_models_of_three_texts_may_be_given_a_size(tmp_path):
    path = tmp_path / "sea.txt"
    path.write_text(made_up(WORDS, 400))
    files = dict.fromkeys(three_domains.DOMAINS, str(path))
    known = three_domains.prepare(files, tmp_path / "all", seeds=1, values={"model": "3x192"})
    for experiment in known.values():
        model = experiment.model
        assert (model.num_layers, model.d_model, model.num_heads) == (3, 192, 3)


@pytest.mark.thorough
def test_three_texts_whole_and_again(tmp_path, jaxgpt):
    texts = {"wikipedia": "river lake", "mathematics": "x = 2; y < 3", "shakespeare": "lord sword come"}
    words = ["lab", "three-domains", "--output", tmp_path / "all", "--seeds", 2, "--prompt", "o"]
    files = {name: str(tmp_path / f"{name}.txt") for name in texts}
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(made_up(text + " o x", 400))
        words += [f"--{name}", files[name]]
    small = {"model.max-length": 16, "model.d-model": 16, "training.steps": 10, "training.batch-size": 4}
    small |= {"training.keep-spaced": 3, "training.save-every": 2, "training.test-examples": 10}
    small |= {"model.num-layers": 1, "optimizer.warmup-steps": 1}
    words += [word for name, value in small.items() for word in (f"--{name}", value)]
    status, output, errors = jaxgpt(*words)
    assert status == 0, errors
    assert output.count("training on ") == 3 and output.count("training the ") == 12
    numbers = tmp_path / "all" / "numbers"
    rows = list(csv.DictReader((numbers / "losses.csv").read_text().splitlines()))
    assert len(rows) == 27 and {row["left out"] for row in rows} == {"0.0"}
    for step in (8, 10):
        told = list(csv.DictReader((numbers / f"further-{step}.csv").read_text().splitlines()))
        assert {row["learned"] for row in told} == set(texts)
    # Again: what is there is read, and what is gone is made anew, the same.
    gone = tmp_path / "all" / "further" / "wikipedia-10-shakespeare.json"
    before = gone.read_text()
    shutil.rmtree(tmp_path / "all" / "runs" / "shakespeare")
    gone.unlink()
    said = []
    values = {name: str(value) for name, value in small.items()}
    known = three_domains.prepare(files, tmp_path / "all", seeds=2, values=values)
    assert three_domains.carry_out(known, tmp_path / "all", said.append) is not None
    assert sum(line.startswith("training ") for line in said) == 2 and gone.read_text() == before
    status, _, errors = jaxgpt(*words, "--objective", "masked")
    assert status == 2 and "masked" in one_line(errors)
