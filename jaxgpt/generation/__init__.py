"""Text from models: decoding with a cache, sampling, beam search."""

from jaxgpt.generation.beam import Beams, beam_search
from jaxgpt.generation.completing import complete, encode_prompts, stream
from jaxgpt.generation.decode import generate
from jaxgpt.generation.filling import fill
from jaxgpt.generation.sampling import Sampling
from jaxgpt.generation.stopping import StopTexts

__all__ = [
    "Beams",
    "Sampling",
    "StopTexts",
    "beam_search",
    "complete",
    "encode_prompts",
    "fill",
    "generate",
    "stream",
]
