"""Which text a tokenizer learns from, and of which its alphabet is."""

import dataclasses

import pytest
from flax import nnx

from jaxgpt import tokenizers
from jaxgpt.comparison import preflight, reading
from jaxgpt.comparison.axes import Axis
from jaxgpt.comparison.cells import Request
from jaxgpt.data.tokenizing import tokenize
from jaxgpt.evaluation.questions import askable
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.runs import opening as report
from jaxgpt.runs.sampled import samples
from jaxgpt.runs.session import train
from jaxgpt.task import Example, Task
from jaxgpt.tokenizers.bpe import BytePairs
from jaxgpt.tokenizers.tokenizer import CorpusTexts
from jaxgpt.training import prepare, tokenizer_building
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.training_config import TrainingConfig
from tasks.text import Text

#: Of every tokenizer with an alphabet of text, alone and as a base.
ALPHABETS = ["characters", "whole", "subset:bytes", "digits", "digits:3:right:characters", "spaced", "words"]
ALPHABETS += ["underscore", "fixed:4", "p10", "10e:2", "b1999", "fone:4:2", "xval:2", "bittokens"]
LEARNED = ["bpe:270", "sentencepiece:290", "digits:1:left:bpe:270", "spaced:sentencepiece:290"]


@dataclasses.dataclass(frozen=True)
class Listed(Task):
    """A finite task."""

    endless = False

    def examples(self, split, seed=0):
        yield from {"train": [Example("", "ab"), Example("", "z")], "test": [Example("", "y")]}.get(split, [])


def test_a_finite_task_s_last_document_is_in_the_alphabet(monkeypatch):
    monkeypatch.setattr(tokenizer_building, "TOKENIZER_EXAMPLES", 1)
    examples = [Example("", "ab"), Example("", "z")]
    listed = tokenizer_building.build_tokenizer(Experiment(Listed(), "characters"), examples)
    assert listed.decode(listed.encode("abzy")) == "abzy"
    assert tokenizer_building.build_tokenizer(Experiment(Task(), "characters"), examples).vocab_size == 5


@pytest.mark.parametrize("spec", ALPHABETS)
def test_an_alphabet_is_of_the_whole_corpus(spec):
    texts = CorpusTexts(lambda: ["ab 12"] * 9, lambda: ["ab 12", "c; 7"])
    tokenizer = tokenizers.build(spec, texts)
    assert tokenizer.decode(tokenizer.encode("a;c 7")) == "a;c 7"


@pytest.mark.parametrize("spec", LEARNED)
def test_merges_are_learned_from_training_text_alone(spec):
    def whole():
        raise AssertionError("held-out text was read")

    train = ["the tide comes in, the tide goes out\n"] * 20
    tokenizer = tokenizers.build(spec, CorpusTexts(lambda: train, whole))
    assert tokenizer.fingerprint == tokenizers.build(spec, lambda: train).fingerprint
    assert tokenizer.decode(tokenizer.encode("c\u2248 7")) == "c\u2248 7"


@pytest.fixture
def experiment(tmp_path):
    (tmp_path / "text.txt").write_text("ab " * 200 + "c")
    return Experiment(
        Text(path=str(tmp_path / "text.txt"), split_by="nanogpt"),
        "characters",
        ModelConfig(num_layers=1, d_model=16, num_heads=2, max_length=16),
        training=TrainingConfig(steps=1, batch_size=2),
    )


def test_the_report_says_what_training_never_shows(experiment):
    prepared = prepare.prepare(experiment)
    assert list(prepared.unseen) == ["c"]
    assert "1 of its symbols stand in held-out text alone: 'c'" in report.summary(prepared)
    bytes_ = prepare.prepare(dataclasses.replace(experiment, tokenizer="bpe:260"))
    assert not bytes_.unseen and "held-out text alone" not in report.summary(bytes_)


@pytest.mark.parametrize("spec", ["characters", "whole", "subset:bytes", "bpe:260"])
def test_a_run_that_goes_on_says_so_again(experiment, spec, monkeypatch):
    experiment = dataclasses.replace(experiment, tokenizer=spec)
    begun = prepare.prepare(experiment)
    learned = []
    monkeypatch.setattr(BytePairs, "from_spec", lambda *_: learned.append(spec))
    again = prepare.prepare(experiment, begun.tokenizer)
    assert list(again.unseen) == list(begun.unseen) and bool(begun.unseen) == (spec != "bpe:260")
    assert not learned or spec == "bpe:260"


def test_a_tokenizer_that_is_gone_or_not_trusted_says_nothing_where_a_run_goes_on(experiment):
    tokenizer = prepare.prepare(experiment).tokenizer
    for spec in ("./gone", "not_imported_yet:Tokenizer", "no_such_name"):
        again = prepare.prepare(dataclasses.replace(experiment, tokenizer=spec), tokenizer)
        assert list(again.unseen) == []


def test_a_comparison_says_so_in_its_plan(experiment):
    made = dataclasses.replace(experiment.training, test_examples=5, eval_examples=2)
    model = dataclasses.replace(experiment.model, max_length=80)
    experiment = dataclasses.replace(experiment, training=made, model=model)
    axes = (Axis("tokenizer", ("characters", "bytes")),)
    baseline = {"tokenizer": "characters"}
    found = preflight.plan(Request("text", experiment, (), axes, (), ("examples",), baseline))
    told = "The alphabet of characters: 1 of its symbols stand in held-out text alone: 'c'."
    assert [note for note in found.notes if "alphabet" in note] == [told]


@pytest.mark.parametrize("spec, prompts", [("characters", []), ("bytes", ["\n"])])
def test_what_is_told_to_be_asked_can_be_read(experiment, spec, prompts):
    prepared = prepare.prepare(dataclasses.replace(experiment, tokenizer=spec))
    model = Transformer(prepared.model, rngs=nnx.Rngs(0))
    assert askable(model, prepared.tokenizer, experiment.task, experiment.objective) == prompts


@pytest.mark.thorough
def test_a_sample_prompt_outside_the_alphabet_ends_no_run(experiment):
    prepared = prepare.prepare(experiment)
    assert experiment.task.sample_prompts == ("\n",)
    model = Transformer(prepared.model, rngs=nnx.Rngs(0))
    assert samples(model, prepared.tokenizer, experiment.task, experiment.objective) == []


def test_a_text_without_the_sample_prompts_is_trained_and_evaluated_to_its_end(experiment, tmp_path):
    (tmp_path / "text.txt").write_text("the cat sat on a mat " * 60)
    task = dataclasses.replace(experiment.task, question_characters=10)
    training = dataclasses.replace(experiment.training, steps=2, eval_examples=2, test_examples=2)
    experiment = dataclasses.replace(experiment, task=task, training=training)
    run = train(experiment, tmp_path / "run", say=lambda line: None)
    assert run.status == "finished" and len(run.evaluation.samples) == 50
    assert set("".join(run.evaluation.samples)) <= set("the cat sat on a mat ")


def test_a_comparison_reads_with_the_same_alphabet(experiment):
    material = reading.gather(experiment)
    assert reading.read(experiment, material).tokenizer.vocab_size == 3 + 4


def test_a_directory_of_tokens_has_the_alphabet_of_all_its_files(tmp_path):
    """Whatever split the one document with that character falls in."""
    documents = [f"line {i} {chr(0x4E00 + i)}\n" for i in range(40)]
    (tmp_path / "text.txt").write_text("".join(documents))
    corpus = tokenize(
        [str(tmp_path / "text.txt")],
        tmp_path / "tokens",
        tokenizer="characters",
        documents="lines",
        held_out=0.3,
        say=lambda line: None,
    )
    assert all(corpus.tokenizer.encode(line.strip()) for line in documents)
