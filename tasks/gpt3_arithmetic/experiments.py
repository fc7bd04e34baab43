"""The experiment on GPT-3's ten tasks."""

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.coupled_relative_rotary import CoupledRelativeRotary
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.muon import Muon
from jaxgpt.training.training_config import TrainingConfig
from tasks.gpt3_arithmetic.task import Gpt3Arithmetic


def gpt3_arithmetic() -> Experiment:
    """GPT-3's ten arithmetic tasks, trained on and worked out as on paper."""
    return Experiment(
        task=Gpt3Arithmetic(format="worked"),
        # Digits stay single; `Question`, ` What` and ` plus` are a token each.
        tokenizer="digits:1:right:bpe:320",
        # A question and its answer are at most 37 tokens: there is room for several shots before it.
        model=ModelConfig(
            num_layers=3,
            d_model=64,
            num_heads=4,
            max_length=320,
            # Coupling adds digits of one weight; which number a digit belongs to is told by its place.
            position=CoupledRelativeRotary(reach=6, marker="Answer"),
            init_std=None,
        ),
        optimizer=Muon(learning_rate=3e-3, final_fraction=0.01, clip_norm=0.2),
        training=TrainingConfig(
            steps=5000,
            batch_size=128,
            train_examples=300_000,
            eval_every=500,
            sample_every=500,
            test_examples=8000,
        ),
    )
