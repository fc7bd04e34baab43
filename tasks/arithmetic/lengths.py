"""Experiments that train on short numbers and ask long ones."""

import dataclasses

from jaxgpt.training.experiment import Experiment
from tasks.arithmetic.experiments import addition
from tasks.arithmetic.task import Arithmetic


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
