"""Architectures by name: one function each, with the source of its numbers.

`vocab_size` is left to the tokenizer. A function of your own, annotated `-> ModelConfig`, is a preset too:
`--model my_package.my_models:my_preset`.
"""

from collections.abc import Callable

from jaxgpt.core.functions import found
from jaxgpt.models.config import ModelConfig


def functions() -> dict[str, Callable[[], ModelConfig]]:
    """The presets of this package by their names."""
    return found(__name__, ModelConfig)


def named(name: str) -> ModelConfig:
    """`ModelConfig.from_text`."""
    return ModelConfig.from_text(name)
