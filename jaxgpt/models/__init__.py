"""Models: what is built from layers."""

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Output, Transformer

__all__ = ["ModelConfig", "Output", "Transformer"]
