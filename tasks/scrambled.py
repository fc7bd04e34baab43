"""Scrambled sentences: were two words of this sentence exchanged? On any file of text.

A sentence such as

    The tide comes in and goes out again.

stays as it is, `no`, or is asked with two neighbouring words exchanged, `The tide in comes and goes out
again.`, `yes`. Of every two sentences one is scrambled, so chance is 50 %.

    python train.py scrambled --task.path book.txt

A model can only know it from how the language goes, as with sentences that are or are not acceptable (CoLA).
"""

import dataclasses
import functools
import itertools
import random
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from jaxgpt.models.config import ModelConfig
from jaxgpt.objectives.labels import Labels
from jaxgpt.task import Example, Split
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.corpus import TextPieces, read_sentences, split_sentences

#: What `--list` groups the experiments under.
HEADING = "files of your own"


@dataclasses.dataclass(frozen=True)
class Scrambled(TextPieces):
    """The sentences of a text, every second one with words exchanged.

    The rule: the first and the last word stay, since a capital and a full stop would tell. Of all pairs of
    the other words that differ (case aside), neighbours or any two, one is drawn and exchanged, `exchanges`
    times, each word once at most. What is drawn follows from the sentence alone. A sentence without such a
    pair is left out, and equal sentences are there once. A paragraph lies in one split with all of its
    sentences, which are by turns left as they are and scrambled, in the order of the file.
    """

    exchange: Annotated[Literal["neighbours", "any"], "which two words change places"] = "neighbours"
    exchanges: Annotated[int, "pairs of words that change places in a scrambled sentence"] = 1
    max_characters: Annotated[int, "sentences of more are left out; 0: none are"] = 120

    unit = "sentences"
    split_fields: ClassVar[tuple[str, ...]] = ("held_out", "hold_out", "exchange", "exchanges")

    def __post_init__(self):
        super().__post_init__()
        if self.exchanges < 1:
            raise ValueError(f"exchanges={self.exchanges} must be at least 1")

    def lengths(self):
        return [len(sentence) for sentence in _sentences(self.path, self.stamp("path"))]

    def held_forms(self, text: str) -> Iterator[str]:
        """The paragraphs of the sentences of a line, as they are or scrambled: a paragraph lies in one split.

        Raises:
          ValueError: if the line has no sentence.
        """
        asked = split_sentences(text)
        if not asked:
            raise ValueError("there is no sentence")
        yield from (self._paragraphs[sentence] for sentence in asked if sentence in self._paragraphs)

    @functools.cached_property
    def _paragraphs(self) -> dict[str, str]:
        """The paragraph of each sentence, and of the same with words exchanged."""
        known = _sentences(self.path, self.stamp("path")) if self.path else {}
        scrambled = ((scrambled_sentence(s, self.exchange, self.exchanges), p) for s, p in known.items())
        return {sentence: paragraph for sentence, paragraph in scrambled if sentence is not None} | known

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The sentences of a split, in the order of the file.

        Raises:
          ValueError: if there are fewer than two, one for each label.
        """
        found = 0
        for sentence, paragraph in _sentences(self.path, self.stamp("path")).items():
            if self.too_long(len(sentence)) or self.split_of(Example("", "", key=paragraph)) != split:
                continue
            other = scrambled_sentence(sentence, self.exchange, self.exchanges)
            if other is None:
                continue
            target = "yes" if found % 2 else "no"
            yield Example(other if found % 2 else sentence, target, group=target, key=paragraph)
            found += 1
        if found < 2:
            raise ValueError(
                f"{self.path}: {found} sentences are {split}, and 2 are needed: change task.held_out="
                f"{self.held_out} or task.max_characters={self.max_characters}, or give more text"
            )


def scrambled_sentence(
    sentence: str, exchange: Literal["neighbours", "any"], exchanges: int = 1
) -> str | None:
    """A sentence with words exchanged, by the rule of `Scrambled`; None if no two can be."""
    words, rng = sentence.split(), random.Random(sentence)
    places = range(1, len(words) - 1)
    pairs = list(
        itertools.pairwise(places) if exchange == "neighbours" else itertools.combinations(places, 2)
    )
    pairs = [(i, j) for i, j in pairs if words[i].lower() != words[j].lower()]
    if not pairs:
        return None
    for _ in range(exchanges):
        if pairs:
            one, other = rng.choice(pairs)
            words[one], words[other] = words[other], words[one]
            pairs = [pair for pair in pairs if not {one, other} & set(pair)]
    return " ".join(words)


@functools.lru_cache(maxsize=2)
def _sentences(path: str, stamp: tuple[int, int]) -> dict[str, str]:
    """All sentences of a text, each once, in the order of the file, with the first paragraph of each."""
    found: dict[str, str] = {}
    for sentences in read_sentences(path):
        paragraph = " ".join(sentences)
        for sentence in sentences:
            found.setdefault(sentence, paragraph)
    return found


def scrambled() -> Experiment:
    """A small decoder that tells whether two words of a sentence were exchanged, on your own file.

    Needs a file of text: --task.path.

    Takes 2 min on two CPU cores. It starts from nothing; `--model.init RUN` starts from a language model.
    """
    return Experiment(
        task=Scrambled(),
        tokenizer="bpe:512",
        model=ModelConfig(num_layers=2, d_model=64, num_heads=4, max_length=128, labels_from="last"),
        objective=Labels(),
        optimizer=AdamW(learning_rate=1e-3, schedule="cosine", warmup_steps=50),
        training=TrainingConfig(steps=600, batch_size=32, test_examples=500),
    )
