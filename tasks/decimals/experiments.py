"""The experiments on decimals."""

import dataclasses

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.runs.experiments import Compared
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.muon import Muon
from jaxgpt.training.training_config import TrainingConfig
from tasks.arithmetic.experiments import which_tokenization
from tasks.decimals import working
from tasks.decimals.task import Decimals

#: What `jaxgpt compare` compares of an experiment where nothing else is named: digits, digits with an
#: exponent, and the three that make a number one token.
COMPARED = {
    "which_tokenization_decimals": Compared(
        {"tokenizer": ("digits", "p10:6", "fone:4:6", "xval:6", "bittokens")}, budgets=("examples",)
    )
}


def decimals_multiplication() -> Experiment:
    """Products of decimals of 1 to 17 digits, worked out with eight digits of each."""
    return _worked("multiplication", steps=2000)


def decimals_division() -> Experiment:
    """Quotients of decimals of 1 to 17 digits, worked out with eight digits of each."""
    return _worked("division", steps=4000)


def which_tokenization_decimals() -> Experiment:
    """Products of decimals: `jaxgpt compare which-tokenization-decimals` trains it five ways.

    Of 1 to 3 digits, from 0.1 to 99.9, so that FoNE has a place for each digit of the result. All of them
    took 48 minutes on one CPU core, beside other work.
    """
    base = which_tokenization()
    task = Decimals(max_digits=3, min_exponent=-1, max_exponent=1)
    # The longest row is of p10:6, which writes six digits of each number.
    model = dataclasses.replace(base.model, max_length=40)
    training = dataclasses.replace(base.training, steps=2000, batch_size=64, train_examples=128_000)
    return dataclasses.replace(base, task=task, model=model, training=training, seeds=6)


def _worked(operation, *, steps: int) -> Experiment:
    task = Decimals(operation=operation, format="worked")
    return Experiment(
        task=task,
        tokenizer="digits",
        # Each character has its place: a table of positions finds the digits that the next one follows from.
        model=ModelConfig(
            num_layers=2,
            d_model=96,
            num_heads=4,
            # The first token and the end.
            max_length=working.length(task.digits, operation) + 2,
            position=Learned(),
            init_std=None,
        ),
        optimizer=Muon(learning_rate=5e-3, final_fraction=0.01, clip_norm=0.2),
        training=TrainingConfig(
            # Each example is seen once.
            steps=steps,
            batch_size=64,
            train_examples=64 * steps,
            eval_examples=64,
            test_examples=500,
        ),
    )
