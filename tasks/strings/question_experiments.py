"""Questions on strings, by name."""

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.none import NoPosition
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.strings.rules.bucket_sort import BucketSort
from tasks.strings.task import Strings


def string_questions() -> Experiment:
    """Sorting 1 to 40 symbols, asked with 50 and 100; `--task.rule` names other questions on strings.

    Takes 2 min on two CPU cores. Parity, as published of transformers, stays at chance.
    """
    return Experiment(
        task=Strings(rule=BucketSort(), extra_lengths=(50, 100)),
        tokenizer="characters",
        # A word of 100, twice as many symbols in the answer, the separator, the first and the end token.
        model=ModelConfig(num_layers=2, d_model=64, num_heads=4, max_length=304, position=NoPosition()),
        optimizer=AdamW(learning_rate=1e-3),
        training=TrainingConfig(
            steps=1000, batch_size=64, train_examples=50_000, test_examples=500, extra_examples=500
        ),
    )
