"""Which sentence follows which: next sentence (BERT) and sentence order (ALBERT), on any file of text.

A file of paragraphs such as

    The tide comes in. Nobody knows why. It goes out again.

gives `The tide comes in.<TAB>Nobody knows why.` with the label `next`, and as often the first sentence with
one of another paragraph, `other`. With `pairs=order` the two always follow each other, `right` or `swapped`.

    python train.py sentence-pairs --task.path book.txt

With `--objective pretraining --model.head.weights tied` the model also says what hidden tokens were, which
together is what BERT was pretrained on: `bert-pretraining`.
"""

import dataclasses
import functools
import itertools
import random
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from jaxgpt.core.nested import replaced
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.embedding_config import EmbeddingConfig
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.objectives.labels import Labels
from jaxgpt.objectives.pretraining import Pretraining
from jaxgpt.task import Example, Split
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.corpus import TextPieces, read_sentences, split_sentences

#: What `--list` groups the experiments under.
HEADING = "files of your own"


@dataclasses.dataclass(frozen=True)
class SentencePairs(TextPieces):
    """Two sentences of a text, and how they stand to each other.

    `next`: Devlin et al. 2019, arXiv 1810.04805, section 3.1, task 2; `order`: Lan et al. 2020, arXiv
    1909.11942, section 3.1. A paragraph lies in one split with all of its pairs.
    """

    path: Annotated[str, "file of text; empty lines between paragraphs, or each line is one"] = ""
    pairs: Annotated[Literal["next", "order"], "what is asked"] = "next"
    max_characters: Annotated[int, "pairs of more are left out; 0: none are"] = 300

    unit = "pairs"
    split_fields: ClassVar[tuple[str, ...]] = ("held_out", "hold_out", "pairs")

    def lengths(self):
        paragraphs = _paragraphs(self.path, self.stamp("path"))
        return [len(one) + len(other) for each in paragraphs for one, other in itertools.pairwise(each)]

    def notes(self) -> str:
        """How many pairs are left out; of `next`, which draws half of its pairs, how many neighbours."""
        if self.pairs == "order" or not super().notes():
            return super().notes()
        found, most = self.lengths(), self.max_characters
        long = f"{sum(map(self.too_long, found)):,} of {len(found):,} pairs of neighbours have"
        return f"left out    pairs of more than {most} characters, as {long}; the others are drawn"

    def held_forms(self, text: str) -> Iterator[str]:
        """The paragraphs in which all sentences of a line stand, or of each half of a question with a tab.

        A paragraph lies in one split with all of its pairs.

        Raises:
          ValueError: if the line has no sentence.
        """
        for part in text.split("\t"):
            asked = split_sentences(part)
            if not asked:
                raise ValueError("there is no sentence")
            places = set.intersection(*(self._places.get(sentence, set()) for sentence in asked))
            paragraphs = _paragraphs(self.path, self.stamp("path")) if places else ()
            yield from (" ".join(paragraphs[place]) for place in places)

    @functools.cached_property
    def _places(self) -> dict[str, set[int]]:
        """The numbers of the paragraphs that each sentence stands in."""
        found: dict[str, set[int]] = {}
        for place, sentences in enumerate(_paragraphs(self.path, self.stamp("path")) if self.path else ()):
            for sentence in sentences:
                found.setdefault(sentence, set()).add(place)
        return found

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """A pair for each sentence but the last of every paragraph.

        Raises:
          ValueError: if no paragraph of the split has two sentences.
        """
        paragraphs = [
            sentences
            for sentences in _paragraphs(self.path, self.stamp("path"))
            if self.split_of(Example("", "", key=" ".join(sentences))) == split
        ]
        needed = 1 if self.pairs == "order" else 2
        if len(paragraphs) < needed:
            raise ValueError(
                f"{self.path}: {len(paragraphs)} paragraphs of two sentences or more are {split}; {needed} "
                "are needed: raise task.held_out, or give more text"
            )
        rng, any_pair = random.Random(seed), False
        for index, sentences in enumerate(paragraphs):
            paragraph = " ".join(sentences)  # once: a copy for each pair would take the square of its length
            for one, other in itertools.pairwise(sentences):
                true = rng.random() < 0.5
                if self.pairs == "order":
                    target = "right" if true else "swapped"
                    prompt = (one, other) if true else (other, one)
                else:
                    target = "next" if true else "other"
                    elsewhere = paragraphs[(index + rng.randrange(1, len(paragraphs))) % len(paragraphs)]
                    prompt = one, other if true else rng.choice(elsewhere)
                if not self.too_long(sum(map(len, prompt))):
                    any_pair = True
                    yield Example("\t".join(prompt), target, group=target, key=paragraph)
        if not any_pair:
            raise ValueError(
                f"{self.path}: no two sentences of {split} have {self.max_characters} characters or fewer; "
                "raise task.max_characters"
            )


@functools.lru_cache(maxsize=2)
def _paragraphs(path: str, stamp: tuple[int, int]) -> tuple[tuple[str, ...], ...]:
    """The paragraphs of at least two sentences, as those."""
    return tuple(sentences for sentences in read_sentences(path) if len(sentences) > 1)


def sentence_pairs() -> Experiment:
    """A small BERT that tells which sentence follows which.

    Needs a file of text: --task.path.
    """
    return Experiment(
        task=SentencePairs(),
        tokenizer="bpe:1024",
        model=ModelConfig(
            kind="encoder",
            num_layers=2,
            d_model=64,
            num_heads=4,
            max_length=256,
            position=Learned(),
            wiring="post",
            embedding=EmbeddingConfig(norm=True),
            mlp=MLPConfig(activation="gelu"),
            head=HeadConfig(weights="none"),
            pooler=True,
            segments=2,
            residual_init="plain",
        ),
        objective=Labels(),
        optimizer=AdamW(learning_rate=1e-3),
        training=TrainingConfig(steps=1000, batch_size=32, eval_every=0, sample_every=0, test_examples=500),
    )


def bert_pretraining() -> Experiment:
    """A small BERT, pretrained as BERT was: hidden tokens and next sentence.

    Needs a file of text: --task.path.
    """
    base = sentence_pairs()
    model = replaced(base.model, {"head.weights": "tied", "head.transform": True, "head.bias": True})
    training = dataclasses.replace(base.training, steps=2000)
    return dataclasses.replace(base, model=model, objective=Pretraining(), training=training)
