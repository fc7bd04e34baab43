"""Text from models: decoding with a cache, sampling, beam search."""

from jaxgpt.generation.decode import generate
from jaxgpt.generation.sampling import Sampling

__all__ = ["Sampling", "generate"]
