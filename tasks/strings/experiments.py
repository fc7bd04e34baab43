"""The experiments of Wagner's lecture on strings (E0 to E10), by name."""

from jaxgpt.models.presets.small import makemore
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.strings.rules.equal import Equal
from tasks.strings.task import Strings


def equal_places() -> Experiment:
    """1,000 strings of zeros and ones whose 13th and 22nd are equal, for makemore's transformer (E1, E2)."""
    return Experiment(
        task=Strings(rule=Equal(pairs=("13=22",), shortest=30, longest=40, index_base=1)),
        tokenizer="characters",
        model=makemore(),
        optimizer=AdamW(learning_rate=5e-4, schedule="constant", warmup_steps=0, decay="all", clip_norm=None),
        training=TrainingConfig(steps=15_000, batch_size=32, train_examples=1000, keep_spaced=6),
    )
