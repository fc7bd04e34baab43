"""Every experiment that has a name is prepared, smaller than it is, and those that differ train two steps."""

import dataclasses

import pytest
from flax import nnx
from tiny_runs import losses
from variants import often

from jaxgpt.core.nested import replaced
from jaxgpt.data.tokenizing import tokenize
from jaxgpt.huggingface.save import save_hf
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.position.learned import Learned
from jaxgpt.runs import experiments
from jaxgpt.runs.session import train
from jaxgpt.tokenizers.bpe import BytePairs
from jaxgpt.training.prepare import prepare
from jaxgpt.training.start import starting_from
from jaxgpt.training.training_config import TrainingConfig

#: What shrinks; everything else stays as the experiment has it.
TRAINING = {
    "steps": 2,
    "epochs": None,
    "batch_size": 2,
    "chunk": 2,
    "log_every": 1,
    "train_examples": 400,  # enough for every character of the task to be seen
    "eval_examples": 20,
    "test_examples": 0,
    "eval_every": 0,
    "sample_every": 0,
    "save_every": 0,
    "keep_spaced": 0,
    "looks": 0,
}
HEADER = "title,genres,synopsis\n"
STORY = (
    "The {n}th lighthouse keeper found a letter from {n} years ago, and walked to the sea to answer it. "
    "Nobody had told her that the sea would write back, nor that the answer would need {n} more years, "
    "and a boat with room for one."
)


def directory(folder):
    """A small GPT-2 as transformers writes it, for an experiment that starts from one."""
    tokenizer = BytePairs.train([STORY], 300)
    config = ModelConfig(num_layers=1, d_model=16, num_heads=2, max_length=64, position=Learned())
    model = Transformer(config.for_vocabulary(tokenizer.vocabulary()), rngs=nnx.Rngs(0))
    save_hf(model, folder / "gpt2", family="gpt2", tokenizer=tokenizer)
    return folder / "gpt2"


def shrunk(experiment, folder):
    """The experiment with few examples and a narrow model; a corpus is given a text."""
    task = experiment.task
    if getattr(task, "path", None) == "":
        table = folder / "stories.csv"
        rows = [f'Story {n},Drama,"{STORY.format(n=n)} Story {n} ends well."\n' for n in range(1, 200)]
        table.write_text(HEADER + "".join(rows))
        text = folder / "stories.txt"
        text.write_text("".join(f"{STORY.format(n=n)}\n\n" for n in range(1, 400)))
        task = dataclasses.replace(task, path=str(text if task.layout == "stream" else table))
        if type(task).kind() == "synopses":
            task = dataclasses.replace(task, path=str(table))
        if type(task).kind() in ("sentence_pairs", "scrambled"):
            task = dataclasses.replace(task, path=str(text))
        if type(task).kind() == "genres":
            genre = ("Drama", "Comedy")
            rows = [f'Story {n},{genre[n % 2]},"{STORY.format(n=n)}"\n' for n in range(1, 200)]
            table.write_text(HEADER + "".join(rows))
        if type(task).kind() == "tokens":
            made = {"documents": "blocks:200", "held_out": 0.1, "say": lambda line: None}
            tokenize([str(text)], folder / "tokens", **made)
            task = dataclasses.replace(task, path=str(folder / "tokens"))
        if type(task).kind() == "names":
            words = folder / "words.txt"
            words.write_text("".join(f"word {n}\n" for n in range(200)))
            task = dataclasses.replace(task, path=str(words))
        if type(task).kind() == "pairs":
            pairs = folder / "pairs.tsv"
            pairs.write_text("".join(f"{n} squared\t{n * n}\n" for n in range(200)))
            task = dataclasses.replace(task, path=str(pairs))
        if type(task).kind() == "translation":
            lines = folder / "translations.tsv"
            lines.write_text("".join(f"{n} to {n + 1}.\t{n} à {n + 1}.\tby nobody\n" for n in range(200)))
            task = dataclasses.replace(task, path=str(lines))
    if getattr(task, "orientations", 1) > 1:  # two million magic squares, each in eight orientations
        task = dataclasses.replace(task, limit=12_000)
    if experiment.model.init:
        experiment = starting_from(experiment, str(directory(folder)))
        training = dataclasses.replace(experiment.training, **TRAINING)
        return dataclasses.replace(experiment, task=task, training=training)
    model: ModelConfig = experiment.model
    heads = model.attention.num_kv_heads or model.num_heads
    small = {
        "num_layers": 1,
        "num_heads": heads,
        "d_model": 8 * heads,
        "d_ff": None,
        "attention.head_dim": None,
    }
    training: TrainingConfig = dataclasses.replace(experiment.training, accumulation=1, **TRAINING)
    return dataclasses.replace(
        experiment, task=task, model=replaced(model, small), training=training, seeds=1
    )


#: Of every task, objective, kind of model and way to start one; the others have other numbers.
TRAINED = (
    *("addition", "addition_seq2seq", "addition_length", "addition_steps", "bert_pretraining", "comparison"),
    *("gcd", "genres", "gpt3_arithmetic", "magic_squares_document", "modular_addition", "names", "pairs"),
    *("scrambled", "sentence_pairs", "synopses", "synopses_gpt2", "text", "tiny_adder", "tokens"),
    *("misspelled", "smallest_adder", "translation", "truecasing"),
)
EVERY_TIME = ("addition",)


@pytest.mark.thorough
@pytest.mark.parametrize("name", [name for name in experiments.available() if name not in TRAINED])
def test_the_others_fit_their_data(name, tmp_path):
    """Tokenizer, rows and model of each, as far as they go without a step."""
    ready = prepare(shrunk(experiments.find(name), tmp_path))
    assert ready.examples


@pytest.mark.parametrize("name", often(TRAINED, EVERY_TIME))
def test_two_steps(name, tmp_path, quick_compilation):
    experiment = shrunk(experiments.find(name), tmp_path)
    outcome = train(experiment, tmp_path / "run", say=lambda line: None)
    assert (outcome.status, outcome.step) == ("finished", 2)
    assert sorted(losses(tmp_path / "run")) == [1, 2]
    assert (tmp_path / "run" / "learning_curve.png").stat().st_size > 1000
