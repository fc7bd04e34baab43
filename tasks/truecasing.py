"""Truecasing: which words of a text have capitals, told of its lower-cased words, on any file of text.

A line such as

    First Citizen: we are ALL resolved.

is asked as `first citizen: we are all resolved.`, to be tagged `title title lower lower upper lower`. `title`
is a capital that begins a word, `upper` several letters that are all capitals, `mixed` any other word with a
capital, and `lower` one without. The tags cost nothing, so any text shows what a tagger can learn of few.

    python train.py truecasing --task.path book.txt
"""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import Annotated

from jaxgpt.core.nested import made
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.objectives.labels import Labels
from jaxgpt.task import Example, Share, Split
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.corpus import LinePieces, cut_line, read_lines

#: What `--list` groups the experiments under.
HEADING = "files of your own"


@dataclasses.dataclass(frozen=True)
class Truecasing(LinePieces):
    """The words of each line, lower-cased, each with a tag that says where its capitals were.

    Lita et al. 2003, tRuEcasIng (ACL). The hash of a piece decides its split; equal pieces are there once.
    """

    words: Annotated[int, "words of a piece at most; longer lines are cut into several"] = 12
    max_characters: Annotated[int, "pieces of more are left out; 0: none are"] = 120

    def pieces(self):
        return [piece.prompt for piece in self._pieces()]

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The pieces of a split, in the order of the file.

        Raises:
          ValueError: if none is left for the split.
        """
        found = [e for e in self._pieces() if not self.too_long(len(e.prompt)) and self.split_of(e) == split]
        if not found:
            raise ValueError(
                f"{self.path} has no line for {split} with task.held_out={self.held_out}; "
                "change that, or add lines"
            )
        yield from found

    def _pieces(self) -> tuple[Example, ...]:
        return _pieces(self.path, self.words, self.stamp("path"))

    def typed(self, text: str) -> Example:
        return Example(" ".join(text.lower().split()), "")

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """Whether all tags of a piece are right."""
        return {"exact_match": float(completion.split() == example.target.split())}

    def summary(
        self, samples: list[tuple[Example, str]], training: Sequence[Example]
    ) -> dict[str, float | Share]:
        """The share of words that are tagged right."""
        pairs = [(e.target.split(), told.split()) for e, told in samples]
        right = sum(tag == own for tags, told in pairs for tag, own in zip(tags, told, strict=False))
        words = sum(len(tags) for tags, _ in pairs)
        return {"words tagged right": Share(right / words, words)} if words else {}


def tag(word: str) -> str:
    """Where the capitals of a word are."""
    letters = [c for c in word if c.isupper() or c.islower()]
    if not any(c.isupper() for c in letters):
        return "lower"
    if all(c.isupper() for c in letters) and len(letters) > 1:
        return "upper"
    return "title" if letters[0].isupper() and not any(c.isupper() for c in letters[1:]) else "mixed"


@functools.lru_cache(maxsize=2)
def _pieces(path: str, words: int, stamp: tuple[int, int]) -> tuple[Example, ...]:
    """The pieces of all lines, each once, in the order of the file."""
    found: dict[str, Example] = {}
    for line in read_lines(path):
        for piece in cut_line(line, words):
            prompt = " ".join(piece).lower()
            if len(prompt.split()) == len(piece):  # a letter may become a space of its own
                found.setdefault(prompt, Example(prompt, " ".join(map(tag, piece))))
    return tuple(found.values())


def truecasing() -> Experiment:
    """A small encoder that tells which lower-cased words had capitals, on your own file.

    Needs a file of text: --task.path.

    Takes 2 min on two CPU cores.
    """
    return Experiment(
        task=Truecasing(),
        tokenizer="bpe:512",
        model=made(
            ModelConfig,
            kind="encoder",
            num_layers=4,
            d_model=96,
            max_length=96,
            position=Learned(),
            labels_from="each",
            **{"head.weights": "none"},
        ),
        objective=Labels(),
        optimizer=AdamW(learning_rate=1e-3, schedule="cosine", warmup_steps=50),
        training=TrainingConfig(steps=600, batch_size=32, test_examples=300),
    )
