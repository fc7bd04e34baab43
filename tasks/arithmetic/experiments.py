"""The experiments of the arithmetic task."""

import dataclasses

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.coupled import Coupled
from jaxgpt.nn.position.coupled_relative import CoupledRelative
from jaxgpt.nn.position.relative import Relative
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.runs.experiments import Compared
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.optimizers.muon import Muon
from jaxgpt.training.training_config import TrainingConfig
from tasks.arithmetic.task import Arithmetic


def eight_tokenizations(*others: str) -> Compared:
    """Eight tokenizations at equal examples: six for numbers of any length, and two made for one."""
    any_length = ("digits", "digits:2:right", "digits:2:left", "digits:3:right", "digits:3:left", "10e")
    return Compared({"tokenizer": (*any_length, *others)}, budgets=("examples",))


#: What `jaxgpt compare` compares of an experiment where nothing else is named.
COMPARED = {
    "which_tokenization": eight_tokenizations("fixed:7", "fone:7"),
    "which_tokenization_subtraction": eight_tokenizations("fixed:6", "fone:6"),
    "which_tokenization_multiplication": eight_tokenizations("fixed:6", "fone:6"),
}


def addition() -> Experiment:
    """Addition of 1 to 10 digits, the answer least significant digit first.

    Takes 2 min on two CPU cores.
    """
    return Experiment(
        task=Arithmetic(extra_digits=(12, 15, 20)),
        tokenizer="digits",
        # 20 + 20 digits and their sum are 63 characters and the end token.
        model=ModelConfig(
            num_layers=2, d_model=64, num_heads=4, max_length=66, position=CoupledRelative(), init_std=None
        ),
        optimizer=AdamW(learning_rate=3e-3, final_fraction=0.01, clip_norm=0.2),
        training=TrainingConfig(
            steps=1000,
            batch_size=128,
            train_examples=128_000,  # each is seen once
            eval_every=500,
            sample_every=500,
            test_examples=10_000,
        ),
    )


def addition_plain() -> Experiment:
    """Addition of 1 to 10 digits, the answer in ordinary notation.

    Takes 2 min on two CPU cores.
    """
    base = addition()
    # Coupled positions count an answer from its lowest digit, which here comes last.
    model = dataclasses.replace(base.model, position=Rotary())
    training = dataclasses.replace(base.training, steps=2500, train_examples=200_000)
    return dataclasses.replace(_variant(base, format="plain"), model=model, training=training)


def addition_tokenizations() -> Experiment:
    """Addition of 1 to 6 digits as one writes it, trained briefly: made for comparing tokenizations."""
    base = _variant(addition_plain(), max_digits=6, extra_digits=(7, 8))
    optimizer = Muon(learning_rate=5e-3, final_fraction=0.01, clip_norm=0.2)
    training = dataclasses.replace(
        base.training, steps=1200, eval_every=0, sample_every=0, test_examples=2000
    )
    return dataclasses.replace(base, optimizer=optimizer, training=training)


def which_tokenization() -> Experiment:
    """Sums of 1 to 6 digits as one writes them: `jaxgpt compare which-tokenization` trains it eight ways.

    All of them took 73 minutes on two CPU cores, beside other work.
    """
    base = _variant(addition_tokenizations(), extra_digits=())
    # Four thin blocks of as many weights learn to carry from fewer examples than two wide ones.
    model = dataclasses.replace(base.model, num_layers=4, d_model=48, position=Relative())
    training = dataclasses.replace(base.training, steps=2500, train_examples=320_000)  # each is seen once
    return dataclasses.replace(base, model=model, training=training, seeds=8)


def which_tokenization_subtraction() -> Experiment:
    """Differences of 1 to 6 digits: `jaxgpt compare which-tokenization-subtraction` trains it eight ways.

    All of them took 75 minutes on two CPU cores, beside other work.
    """
    return dataclasses.replace(_variant(which_tokenization(), operation="subtraction"), seeds=6)


def which_tokenization_multiplication() -> Experiment:
    """Products of 1 to 3 digits: `jaxgpt compare which-tokenization-multiplication` trains it eight ways.

    All of them took 139 minutes on one CPU core, beside other work.
    """
    changed = _variant(which_tokenization(), operation="multiplication", max_digits=3)
    return dataclasses.replace(changed, seeds=6)


def addition_steps() -> Experiment:
    """Addition of 1 to 6 digits, written out step by step."""
    base = addition()
    return dataclasses.replace(
        base,
        task=Arithmetic(format="steps", max_digits=6),
        # A digit is a token and so is a word between: half as many tokens a row as characters.
        tokenizer="digits:1:right:bpe:320",
        model=dataclasses.replace(base.model, d_model=96, max_length=384, position=Rotary()),
        optimizer=Muon(learning_rate=3e-3, final_fraction=0.01, clip_norm=0.2),
        training=TrainingConfig(
            steps=1500, batch_size=16, train_examples=24_000, eval_examples=64, test_examples=300
        ),
    )


def addition_seq2seq() -> Experiment:
    """Addition of 1 to 6 digits with an encoder and a decoder.

    Takes 3 min on two CPU cores.
    """
    base = _coupled()
    model = dataclasses.replace(base.model, kind="encoder_decoder")
    return dataclasses.replace(_variant(base, max_digits=6, extra_digits=()), model=model)


def subtraction() -> Experiment:
    """Subtraction of 1 to 10 digits, sign first, then least significant digit first.

    Takes 2 min on two CPU cores.
    """
    return _variant(_coupled(), operation="subtraction")


def multiplication() -> Experiment:
    """Multiplication of 1 to 2 digits by partial products, least significant digit first."""
    base = addition()
    # A digit of a product takes from digits of many weights, which coupling tells it to look past.
    model = dataclasses.replace(base.model, position=Rotary(), max_length=32)
    return dataclasses.replace(
        base,
        task=Arithmetic(operation="multiplication", format="partial", max_digits=2),
        model=model,
        training=dataclasses.replace(base.training, batch_size=64, steps=4000, train_examples=200_000),
    )


def decomposition() -> Experiment:
    """Numbers of 2 digits into ones and tens, one token a digit.

    Takes 30 s on two CPU cores.
    """
    base = addition()
    return dataclasses.replace(
        base,
        # Of 90 numbers a tenth would be too few to ask.
        task=Arithmetic(held_out=0.2, format="decomposition", min_digits=2, max_digits=2),
        # Without dropout a seed may learn the 55 numbers left for training by heart.
        model=dataclasses.replace(base.model, position=Rotary(), dropout=0.1),
        training=dataclasses.replace(base.training, batch_size=32, steps=300, train_examples=2000),
    )


def decomposition_long() -> Experiment:
    """Numbers of 2 to 6 digits into ones, tens and so on, one token a digit."""
    base = decomposition()
    return dataclasses.replace(
        base,
        task=dataclasses.replace(base.task, held_out=0.1, max_digits=6),
        model=dataclasses.replace(base.model, max_length=88, dropout=0.0),
        training=dataclasses.replace(base.training, batch_size=64, steps=600, train_examples=64_000),
    )


def decomposition_spaced() -> Experiment:
    """Numbers of 2 digits, written apart, into ones and tens.

    Takes 30 s on two CPU cores.
    """
    return _variant(decomposition(), format="decomposition_spaced")


def _coupled() -> Experiment:
    """`addition` with a vector a weight, for what looks beyond the next digit or into an encoder."""
    base = addition()
    model = dataclasses.replace(base.model, position=Coupled())
    training = dataclasses.replace(base.training, steps=2500, train_examples=200_000)
    return dataclasses.replace(base, model=model, training=training)


def _variant(base: Experiment, **fields) -> Experiment:
    """`base` with some fields of its task replaced."""
    return dataclasses.replace(base, task=dataclasses.replace(base.task, **fields))
