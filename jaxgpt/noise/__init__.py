"""What is done to a text that an encoder-decoder is to restore, one way a file."""

from jaxgpt.noise.base import Marks, Noise

__all__ = ["Marks", "Noise"]
