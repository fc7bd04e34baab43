"""Text: a character, byte or subword language model on any file of text.

A file `poem.txt`

    The tide comes in, the tide goes out,
    and nobody knows why.

is cut into blocks of which each belongs to one split; a held-out block ending here is asked
`The tide comes in, the tide goes out,\nand nobody knows` with the target ` why`.

    python train.py text --task.path poem.txt
"""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from jaxgpt.core.lines import split_paragraphs
from jaxgpt.data.documents import blocks
from jaxgpt.evaluation.variety import variety, variety_limit
from jaxgpt.models.presets.recurrent import makemore_bigram
from jaxgpt.models.presets.small import nanogpt_cpu
from jaxgpt.task import SPLITS, Example, Split, Task, shuffled
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.corpus import last_word_score, last_words, read_text

#: What `--list` groups the experiments under.
HEADING = "files of your own"


@dataclasses.dataclass(frozen=True)
class Text(Task):
    """One file of running text, cut into training and held-out text; asked for last words.

    The ways to cut:
      blocks: pieces of about `block_characters`, cut at line ends, each put into a split by its hash.
      paragraphs: what stands between empty lines, each put into a split by its hash, as `sentence-pairs` and
        `scrambled` do: a model of such a text was trained on no paragraph that they ask. It may have read a
        sentence of one that stands in another paragraph, too.
      tail: the end of the file is the test set, what stands before it the validation set, each a share
        of `held_out`; the rest is for training.
      nanogpt: the last `held_out` of the file is the validation set **and** the test set, as in
        nanoGPT's prepare.py, for comparison with the losses published there.
    """

    path: Annotated[str, "file of text"] = ""
    split_by: Annotated[
        Literal["blocks", "paragraphs", "tail", "nanogpt"],
        "how held-out text is cut; nanogpt: test = validation = the end",
    ] = "blocks"
    block_characters: Annotated[int, "least characters in a block"] = 2000
    question_characters: Annotated[int, "characters shown before a last word that is asked; 0: all"] = 400

    layout = "stream"
    endless = False
    file_fields = ("path", "hold_out")
    split_fields = ("held_out", "split_by", "block_characters")
    sample_prompts: ClassVar[tuple[str, ...]] = ("\n",)

    def __post_init__(self):
        most = 1 if self.split_by == "nanogpt" else 0.5
        if not 0 <= self.held_out < most:
            raise ValueError(f"held_out={self.held_out} must be at least 0 and below {most}")
        if self.block_characters < 1:
            raise ValueError(f"block_characters={self.block_characters} must be at least 1")
        if self.hold_out:
            raise ValueError("hold_out is for questions, and this task is a text; take them out of its files")
        if self.question_characters < 0:
            raise ValueError(f"question_characters={self.question_characters} must not be negative")

    def notes(self) -> str:
        if self.split_by != "nanogpt":
            return ""
        return "test text   the validation text, as in nanoGPT; --task.split-by tail keeps them apart"

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The blocks of a split, or its one contiguous text."""
        documents = _cut(self, self.stamp("path"))[split]
        if not documents:
            way_out = "raise --task.held-out"
            if self.held_out and self.split_by == "blocks":
                way_out = f"lower --task.block-characters, {way_out}, or choose --task.split-by tail"
            elif self.held_out:
                way_out += ", or give more text"
            raise ValueError(
                f"{self.path}: no text is left for {split} with split_by={self.split_by}, "
                f"held_out={self.held_out}; {way_out}"
            )
        for document in documents:
            yield Example(prompt="", target=document, key=document)

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The last word of every paragraph, after what stands before it in the same document; shuffled."""
        return shuffled(self._last_words(split, seed), seed)

    def _last_words(self, split: Split, seed: int) -> Iterator[Example]:
        for example in self.examples(split, seed):
            for prompt, word, around in last_words(example.target, self.question_characters):
                # A split by position is one text, too long to stand beside every question.
                key = example.key if self.split_by in ("blocks", "paragraphs") else around
                yield Example(prompt, word, group="last word", key=key)

    def split_of(self, example: Example) -> Split:
        if self.split_by == "blocks":
            return super().split_of(example)
        if self.split_by == "paragraphs":
            return super().split_of(Example("", "", key=" ".join(example.canonical.split())))
        documents = _cut(self, self.stamp("path"))
        return next((s for s in SPLITS if any(example.canonical in d for d in documents[s])), "train")

    def score(self, example: Example, completion: str) -> dict[str, float]:
        return {"exact_match": last_word_score(example.target, completion)}

    def summary(self, samples: list[tuple[Example, str]], training: Sequence[Example]) -> dict[str, float]:
        """Distinct n-grams and the longest copy from the training text."""
        return variety([completion for _, completion in samples], [e.target for e in training])

    def summary_limit(self, name: str) -> float:
        return variety_limit(name)


@functools.lru_cache(maxsize=4)
def _cut(task: Text, stamp: tuple[int, int]) -> dict[Split, list[str]]:
    """The documents of each split."""
    text = read_text(task.path)
    if task.split_by in ("blocks", "paragraphs"):
        parts: dict[Split, list[str]] = {split: [] for split in SPLITS}
        lines = text.splitlines(keepends=True)
        pieces = blocks(lines, task.block_characters) if task.split_by == "blocks" else split_paragraphs(text)
        for block in pieces:
            parts[task.split_of(Example(prompt="", target=block, key=block))].append(block)
        return parts
    last = int(len(text) * (1 - task.held_out))
    if task.split_by == "nanogpt":
        cut = {"train": text[:last], "validation": text[last:], "test": text[last:]}
    else:
        first = max(0, int(len(text) * (1 - 2 * task.held_out)))
        cut = {"train": text[:first], "validation": text[first:last], "test": text[last:]}
    return {split: [part] if part else [] for split, part in cut.items()}


def text() -> Experiment:
    """nanoGPT's recipe for a character model on CPU, on your own file.

    Needs a file of text: --task.path.

    Takes 2 min on two CPU cores.
    """
    return Experiment(
        task=Text(split_by="nanogpt", question_characters=44),
        tokenizer="characters",
        model=nanogpt_cpu(),
        optimizer=AdamW(
            # nanoGPT has 1e-3; three times that ends 0.13 nats lower after as many steps.
            learning_rate=3e-3,
            schedule="cosine",
            warmup_steps=100,
            final_fraction=0.1,
            beta2=0.99,
            weight_decay=0.1,
            clip_norm=1.0,
        ),
        training=TrainingConfig(
            steps=2000, batch_size=12, eval_every=250, sample_every=500, test_examples=300
        ),
    )


def text_bytes() -> Experiment:
    """nanoGPT's recipe for CPU, on your own file as UTF-8 bytes.

    Needs a file of text: --task.path.

    Takes 2 min on two CPU cores.
    """
    return dataclasses.replace(text(), tokenizer="bytes")


def text_subwords() -> Experiment:
    """nanoGPT's recipe for CPU, on your own file as 512 subwords learned from it.

    Needs a file of text: --task.path.

    Takes 2 min on two CPU cores.
    """
    return dataclasses.replace(text(), tokenizer="bpe:512")


def text_bigram() -> Experiment:
    """A bigram, which sees the last character alone, on your own file (E0 of Wagner's lecture).

    Needs a file of text: --task.path.

    Takes 1 min on two CPU cores.
    """
    base = text()
    model = dataclasses.replace(makemore_bigram(), max_length=base.model.max_length)
    optimizer = dataclasses.replace(base.optimizer, learning_rate=1e-2)
    return dataclasses.replace(base, model=model, optimizer=optimizer)


def lab_mathematics() -> Experiment:
    """Two layers of width 128 on mathematics, whose learning `jaxgpt lab` shows.

    Needs a file of text: --task.path. Made for a course's laboratory of nanoGPT, which reports 1.219 nats a
    character after 5,000 iterations and has 110 characters.

    Takes 4 min on two CPU cores.
    """
    return _of_the_lab()


def lab_wikipedia() -> Experiment:
    """Two layers of width 128 on articles, whose learning `jaxgpt lab` shows.

    Needs a file of text: --task.path. The same laboratory reports 1.424 nats a character and has 292
    characters.

    Takes 4 min on two CPU cores.
    """
    return _of_the_lab()


def lab_shakespeare() -> Experiment:
    """Two layers of width 128 on plays, whose learning `jaxgpt lab` shows.

    Needs a file of text: --task.path. The same laboratory reports 1.407 nats a character and has 65
    characters.

    Takes 4 min on two CPU cores.
    """
    return _of_the_lab()


def _of_the_lab() -> Experiment:
    """0.41M parameters, 5,000 steps, 20 of them kept on a log scale, and step 4,000."""
    base = text()
    training = dataclasses.replace(
        base.training, steps=5000, eval_every=500, sample_every=0, keep_spaced=20, save_every=1000
    )
    model = dataclasses.replace(base.model, num_layers=2, num_heads=2)
    return dataclasses.replace(base, model=model, training=training)
