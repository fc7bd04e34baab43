"""The experiments of Wagner's lecture on strings (E0 to E10), by name."""

import dataclasses

from jaxgpt.models.presets.small import makemore, tiny
from jaxgpt.nn.position.relative import Relative
from jaxgpt.runs.experiments import Compared
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.optimizers.muon import Muon
from jaxgpt.training.training_config import TrainingConfig
from tasks.strings.rule import Rule
from tasks.strings.rules.equal import Equal
from tasks.strings.rules.fibonacci import Fibonacci
from tasks.strings.rules.grid import Grid
from tasks.strings.rules.marked import Marked
from tasks.strings.rules.odd_fibonacci import OddFibonacci
from tasks.strings.task import Strings

#: What `jaxgpt compare` compares of an experiment where nothing else is named.
COMPARED = {
    "few_fibonacci": Compared({"optimizer.weight_decay": ("0", "0.1", "1")}, budgets=("examples",)),
}


def equal_places() -> Experiment:
    """1,000 strings of zeros and ones whose 13th and 22nd are equal, by makemore's recipe (E1, E2).

    Takes 4 min on two CPU cores.
    """
    return Experiment(
        task=Strings(rule=Equal(pairs=("13=22",), shortest=30, longest=40, index_base=1)),
        tokenizer="characters",
        model=makemore(),
        optimizer=AdamW(learning_rate=5e-4, schedule="constant", warmup_steps=0, decay="all", clip_norm=None),
        training=TrainingConfig(steps=15_000, batch_size=32, train_examples=1000, keep_spaced=6),
    )


def equal_places_long() -> Experiment:
    """Strings of 50 to 200 zeros and ones, two places equal, by makemore's recipe (E3)."""
    base = equal_places()
    return dataclasses.replace(
        base,
        task=Strings(rule=Equal(pairs=("18=47",), shortest=50, longest=200)),
        model=dataclasses.replace(base.model, max_length=202),
        training=dataclasses.replace(base.training, train_examples=100_000),
    )


def equal_places_quick() -> Experiment:
    """The same strings by one thin layer and Muon, from 16,000 of them (E3)."""
    base = equal_places_long()
    return dataclasses.replace(
        base,
        model=dataclasses.replace(base.model, num_layers=1, d_model=32),
        # Of as many strings small batches learn the most.
        optimizer=Muon(learning_rate=0.01, warmup_steps=50, final_fraction=0.01, clip_norm=0.5),
        training=dataclasses.replace(base.training, steps=2000, batch_size=8),
    )


def one_mark() -> Experiment:
    """Strings of 10 to 15 zeros and ones, of which one is changed to a 2 (E4)."""
    return _soon(Marked(count=1, shortest=10, longest=15), max_length=17)


def two_marks() -> Experiment:
    """Strings of 30 to 40 zeros and ones, of which every second one has two 2s (E5)."""
    return _soon(Marked(count=2, share=0.5, shortest=30, longest=40), max_length=42)


def board() -> Experiment:
    """Boards of 8 x 8 without two ones at distance 4 or 5, as 64 zeros and ones (E8)."""
    return _soon(Grid(rows=8, columns=8, distances=(4, 5)), max_length=66)


def fibonacci() -> Experiment:
    """Lines of seven numbers, each the sum of the two before, for a model with 26,272 parameters (E6)."""
    base = _soon(Fibonacci(), max_length=48)
    # Relative places find the digits of one weight: the numbers of a line have almost the same lengths. Four
    # thin blocks carry better than two wide ones.
    model = dataclasses.replace(tiny(), max_length=48, num_layers=4, d_model=24, d_ff=80, position=Relative())
    training = dataclasses.replace(base.training, steps=8000, batch_size=128, train_examples=400_000)
    return dataclasses.replace(base, model=model, training=training)


def fibonacci_reversed() -> Experiment:
    """The same lines with every number's ones first."""
    base = _with(fibonacci(), Fibonacci(order="reversed"))
    return dataclasses.replace(base, training=dataclasses.replace(base.training, steps=4000))


def fibonacci_relabelled() -> Experiment:
    """The same lines in eleven letters, which nobody would take for digits (E7).

    They have the order of the characters that they stand for, so a line has the same ids as in `fibonacci`.
    Which lines are held out differs, since that follows from the text.
    """
    return _with(fibonacci(), Fibonacci(symbols="bcdefghijka"))


def fibonacci_lecture() -> Experiment:
    """The same lines by makemore's recipe for two layers of width 32, as in the lecture (E6)."""
    base = equal_places()
    model = dataclasses.replace(base.model, num_layers=2, d_model=32, max_length=48)
    training = dataclasses.replace(base.training, steps=30_000, train_examples=400_000)
    return dataclasses.replace(base, task=Strings(rule=Fibonacci()), model=model, training=training)


def few_fibonacci() -> Experiment:
    """2,000 such lines again and again: `jaxgpt compare few-fibonacci` compares weight decays (E10)."""
    base = fibonacci_reversed()
    training = dataclasses.replace(base.training, train_examples=2000, steps=3000, looks=16)
    return dataclasses.replace(base, training=training)


def odd_fibonacci() -> Experiment:
    """Lines of five numbers with digits exchanged, turned round, doubled and cut off (E9)."""
    base = fibonacci()
    model = dataclasses.replace(base.model, d_model=48, d_ff=192, max_length=32)
    training = dataclasses.replace(base.training, batch_size=64)
    return dataclasses.replace(_with(base, OddFibonacci()), model=model, training=training)


def _with(base: Experiment, rule: Rule) -> Experiment:
    return dataclasses.replace(base, task=Strings(rule=rule))


def _soon(rule: Rule, max_length: int) -> Experiment:
    """makemore's model, trained by Muon: a tenth of the steps that its own recipe needs, or less."""
    base = equal_places()
    return dataclasses.replace(
        base,
        task=Strings(rule=rule),
        model=dataclasses.replace(base.model, max_length=max_length),
        optimizer=Muon(learning_rate=5e-3, warmup_steps=50, final_fraction=0.01, clip_norm=0.5),
        training=TrainingConfig(steps=5000, batch_size=32, train_examples=160_000, keep_spaced=6),
    )
