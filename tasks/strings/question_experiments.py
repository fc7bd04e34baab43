"""Questions on strings, by name."""

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.randomized import Randomized
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.strings.rules.parity import Parity
from tasks.strings.task import Strings


def string_questions() -> Experiment:
    """Parity of 1 to 40 symbols, asked with 50 and 100; `--task.rule` names other questions on strings.

    Parity stays at chance in so few steps. Answers of many symbols, as of `bucket_sort`, are learned sooner.
    """
    return Experiment(
        task=Strings(rule=Parity(), extra_lengths=(50, 100)),
        tokenizer="characters",
        # A word of 100, twice as many symbols in the answer, the separator, the first and the end token.
        model=ModelConfig(
            num_layers=2,
            d_model=64,
            num_heads=4,
            max_length=304,
            position=Randomized(base=Rotary(), max_position=1024, spacing=3),
        ),
        optimizer=AdamW(learning_rate=1e-3),
        training=TrainingConfig(
            steps=1000, batch_size=64, train_examples=50_000, test_examples=500, extra_examples=500
        ),
    )
