"""The experiments on decimals."""

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.muon import Muon
from jaxgpt.training.training_config import TrainingConfig
from tasks.decimals import working
from tasks.decimals.task import Decimals


def decimals_multiplication() -> Experiment:
    """Products of decimals of 1 to 17 digits, worked out with eight digits of each."""
    return _worked("multiplication", steps=2000)


def decimals_division() -> Experiment:
    """Quotients of decimals of 1 to 17 digits, worked out with eight digits of each."""
    return _worked("division", steps=4000)


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
