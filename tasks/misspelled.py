"""Misspelled words: write the text as it should be. On any file of text.

A line such as

    We are accounted poor citizens, the patricians good.

is asked as `We are accuonted poor citizens, the patrciians good.`, and the answer is the line itself.

    python train.py misspelled --task.path book.txt
"""

import dataclasses
import functools
import random
from collections.abc import Iterator, Sequence
from typing import Annotated
from unicodedata import category

from jaxgpt.core.nested import made
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.sinusoidal import Sinusoidal
from jaxgpt.task import Example, Share, Split
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.corpus import LinePieces, cut_line, read_lines

#: What `--list` groups the experiments under.
HEADING = "files of your own"


@dataclasses.dataclass(frozen=True)
class Misspelled(LinePieces):
    """The words of each line, in some of which two neighbouring letters are exchanged, to be written right.

    The first character of a word stays where it is, be it a letter, a quotation mark or a bracket, and equal
    letters are not exchanged. What is exchanged follows from the words alone. The hash of a piece as it
    should be decides its split; equal pieces are there once.
    """

    share: Annotated[float, "of the words in which two letters are exchanged, where there are two"] = 0.3
    max_characters: Annotated[int, "pieces of more are left out; 0: none are"] = 60

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.share <= 1:
            raise ValueError(f"share={self.share} must be above 0 and at most 1")

    def pieces(self):
        return _pieces(self.path, self.words, self.stamp("path"))

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The pieces of a split, in the order of the file.

        Raises:
          ValueError: if none is left for the split.
        """
        found = False
        for piece in self.pieces():
            example = Example(misspelled_text(piece, self.share), piece, key=piece)
            if not self.too_long(len(piece)) and self.split_of(example) == split:
                found = True
                yield example
        if not found:
            raise ValueError(
                f"{self.path} has no piece for {split} with task.held_out={self.held_out} and "
                f"task.max_characters={self.max_characters}; change these, or add lines"
            )

    def held_forms(self, text: str) -> Iterator[str]:
        yield from super().held_forms(text)
        if (piece := self._asked.get(self.typed(text).canonical)) is not None:
            yield piece

    @functools.cached_property
    def _asked(self) -> dict[str, str]:
        """Each piece as it should be, by the question for it."""
        return {misspelled_text(piece, self.share): piece for piece in self.pieces()} if self.path else {}

    def typed(self, text: str) -> Example:
        return Example(" ".join(text.split()), "")

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """Whether a piece is written as it should be."""
        return {"exact_match": float(completion == example.target)}

    def summary(
        self, samples: list[tuple[Example, str]], training: Sequence[Example]
    ) -> dict[str, float | Share]:
        """The share of words that are right where they should stand: all, and those that were misspelled."""
        right = {True: 0, False: 0}
        words = {True: 0, False: 0}
        for example, text in samples:
            asked, own = example.prompt.split(), example.target.split()
            written = [*text.split(), *[""] * len(own)]
            for given, word, answer in zip(asked, own, written, strict=False):
                wrong = given != word
                words[wrong] += 1
                right[wrong] += answer == word
        found = {}
        if sum(words.values()):
            found["words right"] = Share(sum(right.values()) / sum(words.values()), sum(words.values()))
        if words[True]:
            found["misspelled words right"] = Share(right[True] / words[True], words[True])
        return found


def misspelled_text(piece: str, share: float) -> str:
    """A piece with two neighbouring letters exchanged in a share of its words."""
    rng = random.Random(piece)
    return " ".join(_exchanged(word, rng) if rng.random() < share else word for word in piece.split())


def _exchanged(word: str, rng: random.Random) -> str:
    """The word with two neighbouring letters behind its first character exchanged, where there are two."""
    places = [
        place
        for place in range(1, len(word) - 1)
        if word[place : place + 2].isalpha()
        and word[place] != word[place + 1]
        and category(word[place + 2 : place + 3] or " ")[0] != "M"  # an accent stays with its letter
    ]
    if not places:
        return word
    place = rng.choice(places)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


@functools.lru_cache(maxsize=2)
def _pieces(path: str, words: int, stamp: tuple[int, int]) -> tuple[str, ...]:
    """The pieces of all lines, each once, in the order of the file."""
    return tuple(
        dict.fromkeys(" ".join(piece) for line in read_lines(path) for piece in cut_line(line, words))
    )


def misspelled() -> Experiment:
    """A small encoder-decoder that writes misspelled words right, on your own file.

    Needs a file of text: --task.path.

    Takes 2 min on two CPU cores.
    """
    return Experiment(
        task=Misspelled(),
        tokenizer="characters",
        model=made(
            ModelConfig,
            kind="encoder_decoder",
            num_layers=2,
            d_model=64,
            max_length=96,
            position=Sinusoidal(),
            init_std=None,
        ),
        optimizer=AdamW(learning_rate=2e-3, schedule="cosine", warmup_steps=50),
        training=TrainingConfig(steps=1000, batch_size=32, eval_every=250, test_examples=500),
    )
