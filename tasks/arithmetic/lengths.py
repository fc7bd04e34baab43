"""Experiments that train on short numbers and ask long ones."""

import dataclasses

from jaxgpt.nn.position.coupled import Coupled
from jaxgpt.runs.experiments import Compared
from jaxgpt.training.experiment import Experiment
from tasks.arithmetic.experiments import addition
from tasks.arithmetic.task import Arithmetic

#: What `jaxgpt compare` compares of an experiment where nothing else is named.
COMPARED = {
    "which_positions": Compared(
        {"model.position": ("abacus", "coupled", "rotary", "alibi", "none")}, budgets=("examples",)
    ),
}


def addition_length() -> Experiment:
    """Addition of 1 to 10 digits, asked with 20 and 40; weights are selected by sums of 15.

    Takes 1 min on two CPU cores.
    """
    base = addition()
    return dataclasses.replace(
        base,
        task=Arithmetic(format="padded", validation_digits=(15,), extra_digits=(20, 40)),
        # 40 + 40 digits, the 41 of their sum, two signs and the first token.
        model=dataclasses.replace(base.model, num_layers=1, max_length=124),
        training=dataclasses.replace(
            base.training,
            steps=1000,
            train_examples=200_000,
            eval_every=0,
            sample_every=0,
            select_every=250,
            test_examples=1000,
            extra_examples=1000,
        ),
    )


def addition_100() -> Experiment:
    """Addition of 1 to 20 digits, asked with 100; weights are selected by sums of 40."""
    return _longer(max_digits=20, validation_digits=(40,), extra_digits=(100,))


def addition_200() -> Experiment:
    """Addition of 1 to 30 digits, asked with 200; weights are selected by sums of 60."""
    return _longer(max_digits=30, validation_digits=(60,), extra_digits=(200,))


def addition_1000() -> Experiment:
    """Addition of 1 to 30 digits, asked with 1,000; weights are selected by sums of 60."""
    base = _longer(max_digits=30, validation_digits=(60,), extra_digits=(1000,))
    return dataclasses.replace(base, training=dataclasses.replace(base.training, extra_examples=100), seeds=8)


def which_positions() -> Experiment:
    """Sums of 1 to 20 digits, asked with 40: `jaxgpt compare which-positions` trains it with five schemes."""
    base = _longer(max_digits=20, extra_digits=(30, 40), validation_digits=())
    # The largest of its tests is of 41 digits.
    model = dataclasses.replace(base.model, num_layers=2, position=Coupled(max_position=64, max_offset=20))
    training = dataclasses.replace(base.training, select_every=0, batch_size=64, train_examples=100_000)
    return dataclasses.replace(base, model=model, training=training, seeds=8)


def _longer(**lengths) -> Experiment:
    """`addition_length` with other lengths, and room for the longest."""
    base = addition_length()
    longest = max(lengths["extra_digits"])
    return dataclasses.replace(
        base,
        task=dataclasses.replace(base.task, **lengths),
        model=dataclasses.replace(base.model, max_length=3 * longest + 4),
        training=dataclasses.replace(base.training, select_examples=64, extra_examples=200),
    )
