"""Perplexity of a text a token, a word and a byte (Radford et al. 2019, section 3.1).

The nats of the whole text, in windows, divided by what it is counted in: tokens, words, bytes, characters.
Words, bytes and characters are those of the file, with one character a line end, before the de-tokenizer, so
that figures of different tokenizers and de-tokenizers can be compared.
"""

import math
from collections.abc import Sequence

import numpy as np

from jaxgpt.core.textfile import read_text
from jaxgpt.evaluation.intervals import Estimate, ratio, scaled
from jaxgpt.evaluation.zero_shot.continuations import Progress, score
from jaxgpt.evaluation.zero_shot.items import Reading, naming
from jaxgpt.evaluation.zero_shot.measured import Measure, Result, mapped
from jaxgpt.evaluation.zero_shot.rolling import windows
from jaxgpt.models.transformer import Transformer
from jaxgpt.tokenizers.tokenizer import Tokenizer


def perplexity(
    models: Sequence[Transformer], tokenizer: Tokenizer, path: str, reading: Reading, progress: Progress
) -> Result:
    """The perplexities of a file of text, read as one document.

    Raises:
      ValueError: for a file that is empty or no text, a text that the tokenizer cannot write, or a stride
        that does not fit the model.
    """
    text = read_text(path)
    max_length = models[0].config.max_length
    stride = max_length if reading.stride is None else reading.stride
    with naming(path, ""):
        ids = tokenizer.encode(reading.detokenizer(text))
        if not ids:
            raise ValueError("the tokenizer makes no token of it; give a longer text")
    parts = windows(ids, tokenizer.begun([])[-1], max_length=max_length, stride=stride)
    found = score(models, parts, progress=progress)
    nats = np.asarray([[one.nats.sum() for one in of_model] for of_model in found])
    a_token = ratio(nats, np.asarray([len(part.ids) for part in parts]))
    words, line_ends = len(text.split()), text.count("\n")
    counts = {
        "tokens": len(ids),
        "words": words,
        "line ends": line_ends,
        "bytes": len(text.encode()),
        "characters": len(text),
        "windows": len(parts),
    }

    def bits(count: int) -> Estimate:
        return scaled(a_token, len(ids) / count / math.log(2))

    def exp(count: int) -> Estimate:
        return mapped(scaled(a_token, len(ids) / max(count, 1)), lambda value: math.exp(min(value, 700.0)))

    measures = (
        Measure("token_perplexity", "perplexity a token", exp(len(ids))),
        Measure("word_perplexity", "perplexity a word", exp(words)),
        Measure("word_and_line_perplexity", "perplexity a word or line end", exp(words + line_ends)),
        Measure("bits_per_byte", "bits a byte", bits(counts["bytes"])),
        Measure("bits_per_character", "bits a character", bits(counts["characters"])),
    )
    settings = {"detokenize": reading.detokenize, "stride": stride}
    return Result("perplexity", measures, counts, settings, reading.notes(tokenizer))
