"""Sentences in another order (Lewis et al. 2020, arXiv 1910.13461, section 2.2)."""

import dataclasses
import itertools

from jaxgpt.noise.base import Noise


@dataclasses.dataclass(frozen=True)
class SentencePermutation(Noise):
    """The text is cut behind each `.`, `!` and `?`, and its parts are shuffled."""

    def spoil(self, tokens, rng, marks):
        sentences, sentence = [], []
        for token in tokens:
            sentence.append(token)
            if token in marks.stops:
                sentences.append(sentence)
                sentence = []
        sentences += [sentence] if sentence else []
        rng.shuffle(sentences)
        return list(itertools.chain.from_iterable(sentences)), tokens
