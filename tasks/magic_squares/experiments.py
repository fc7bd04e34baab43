"""The experiments of the magic-square task."""

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.optimizers.muon import Muon
from jaxgpt.training.training_config import TrainingConfig
from tasks.magic_squares.task import MagicSquares


def magic_squares() -> Experiment:
    """Prime magic squares of a centre never trained on, 2,048 of them; the model's own marks choose one."""
    return Experiment(
        task=MagicSquares(format="checked", drills=60_000, candidates=2048),
        tokenizer="digits",
        # Every example has 68 characters, each at its place: a table of positions finds the digits to add.
        model=ModelConfig(
            num_layers=3, d_model=96, num_heads=4, max_length=78, position=Learned(), init_std=None
        ),
        optimizer=Muon(learning_rate=5e-3, final_fraction=0.01, clip_norm=0.2),
        training=TrainingConfig(steps=5000, batch_size=64),
    )


def magic_squares_document() -> Experiment:
    """The source document's training text: Matrix N, five-digit prime squares, eight written sums.

    Takes 10 min on two CPU cores.
    """
    return Experiment(
        task=MagicSquares(format="matrix", rule="document", limit=100_000),
        tokenizer="digits",
        # The longest example has 349 characters.
        model=ModelConfig(num_layers=3, d_model=96, num_heads=4, max_length=352, position=Rotary()),
        training=TrainingConfig(steps=1500, batch_size=16, test_examples=100),
    )


def magic_squares_five() -> Experiment:
    """Prime magic squares of exactly five digits, every square in every orientation.

    Needs a GPU.
    """
    return Experiment(
        task=MagicSquares(min_entry=10_000, limit=100_000, orientations=8),
        tokenizer="digits",
        # The longest example has 78 characters.
        model=ModelConfig(
            num_layers=6, d_model=384, num_heads=6, max_length=80, position=Rotary(), dtype="bfloat16"
        ),
        optimizer=AdamW(learning_rate=1e-3, warmup_steps=1000),
        training=TrainingConfig(steps=30_000, batch_size=512, eval_every=5000),
    )
