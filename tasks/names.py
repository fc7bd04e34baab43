"""Names: models that make more words like those of a file, one on each line (karpathy/makemore).

A file `names.txt`

    emma
    olivia

is trained on as `emma` and an end token. Asked with an empty prompt, the model draws a word.

    python train.py names --task.path names.txt
    jaxgpt compare names --task.path names.txt --seeds 4
"""

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np

from jaxgpt.core.wording import in_file
from jaxgpt.models.presets.small import makemore
from jaxgpt.runs.experiments import Compared
from jaxgpt.task import Example, Share, Split, Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.corpus import place_in, read_lines

#: What `--list` groups the experiments under.
HEADING = "files of your own"

#: Of makemore's default arguments.
_SEED = 3407
_MOST_TEST_WORDS = 1000


@dataclasses.dataclass(frozen=True)
class Names(Task):
    """A file of words, one on each line; white space around them and empty lines are passed over.

    A line may hold any characters, spaces too. A word that stands on several lines is trained on as often.

    The ways to cut:
      words: the hash of a word decides its split, so that no word is in two.
      makemore: the split of karpathy/makemore with its default seed, line by line: the last 10 % of the
        shuffled lines, at most 1,000, are the test set **and** the validation set. A word that stands on
        several lines may be in both sides.
    """

    path: Annotated[str, "file of words, one on each line"] = ""
    split_by: Annotated[
        Literal["words", "makemore"],
        "how held-out words are chosen; makemore: test = validation = its test set",
    ] = "words"
    max_characters: Annotated[int, "of a word; longer ones are left out"] = 63

    endless = False
    temperature = 1.0
    file_fields = ("path", "hold_out")
    split_fields = ("held_out", "split_by", "max_characters", "hold_out")
    sample_prompts: ClassVar[tuple[str, ...]] = ("",)

    def __post_init__(self):
        if self.max_characters < 1:
            raise ValueError(f"max_characters={self.max_characters} must be at least 1")
        if self.hold_out and self.split_by == "makemore":
            raise ValueError(f"hold_out={self.hold_out} needs split_by=words: makemore's split is fixed")

    def notes(self) -> str:
        """How many words there are, how many are repeats, the longest, and how many were left out."""
        lines = self._lines
        words, longest = set(lines.words), max(lines.words, key=len)
        said = (
            f"words       {len(lines.words):,}, of which {len(lines.words) - len(words):,} are repeats; the "
            f"longest has {len(longest)} characters; {lines.left_out:,} left out, longer than "
            f"task.max_characters={self.max_characters}"
        )
        if self.split_by == "words":
            return said
        trained, test = set(lines.parts["train"]), lines.parts["test"]
        both = sum(word in trained for word in test)
        return (
            f"{said}\ntest words  the validation words, as in makemore; {both:,} of "
            f"{len(test):,} are trained on, too; --task.split-by words keeps them apart"
        )

    def place_of(self, example: Example) -> str:
        return place_in([self.path], example.canonical)

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The words of a split, in the order of the file; of makemore's split in the order of its shuffle.

        Raises:
          ValueError: if the file is missing, empty or not Unicode, or no word is left for the split.
        """
        words = self._lines.parts[split]
        if not words:
            change = "lower" if split == "train" else "raise"
            why = f"task.held_out={self.held_out}; {change} that, or add words"
            if self.split_by == "makemore":
                why = "task.split_by=makemore, which needs ten lines; add words, or set it to words"
            raise ValueError(in_file(self.path, f"has no word for {split} with {why}"))
        return (Example("", word) for word in words)

    def held_forms(self, text: str) -> Iterable[str]:
        return (text.strip(),)

    def split_of(self, example: Example) -> Split:
        """Of a word that makemore's split has on both sides: test."""
        if self.split_by == "words":
            return super().split_of(example)
        return "test" if example.canonical in self._lines.parts["test"] else "train"

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """`exact_match`: a word of the file, trained on or held out; it need not be the target."""
        return {"exact_match": float(completion in self._lines.all)}

    def summary(self, samples: list[tuple[Example, str]], training: Sequence[Example]) -> dict[str, Share]:
        """Shares of the samples: new, trained on, held out, empty, and the same as an earlier one."""
        texts = [text for _, text in samples]
        trained, known = {example.target for example in training}, self._lines.all
        counts = {
            "new": sum(text != "" and text not in known for text in texts),
            "copied": sum(text in trained for text in texts),
            "held_out": sum(text in known and text not in trained for text in texts),
            "empty": texts.count(""),
            "repeated": len(texts) - len(set(texts)),
        }
        return {name: Share(count / max(len(texts), 1), len(texts)) for name, count in counts.items()}

    @property
    def _lines(self) -> "_Lines":
        # Asked for every sample; `stamp` of a file that is not set has nothing to look at.
        stamps = tuple(self.stamp(field) for field in self.file_fields if getattr(self, field))
        return _read(self, stamps)


class _Lines(NamedTuple):
    """The words of a file.

    Attributes:
      words: of every line, in the order of the file.
      left_out: how many were too long.
      parts: the words of each split.
      all: each word once.
    """

    words: list[str]
    left_out: int
    parts: dict[Split, list[str]]
    all: frozenset[str]


@functools.lru_cache(maxsize=4)
def _read(task: Names, stamps: tuple[tuple[int, int], ...]) -> _Lines:
    """The words of a task; `stamps` tell changed files from those that were read."""
    lines = [word for line in read_lines(task.path) if (word := line.strip())]
    words = [word for word in lines if len(word) <= task.max_characters]
    if not words:
        most = task.max_characters
        what = f"has {len(lines):,} words, all of more than {most} characters; raise task.max_characters"
        raise ValueError(in_file(task.path, what))
    parts = _cut(task, words)
    return _Lines(words, len(lines) - len(words), parts, frozenset(words))


def _cut(task: Names, words: list[str]) -> dict[Split, list[str]]:
    if task.split_by == "makemore":
        order = _torch_permutation(len(words), _SEED)
        held_out = min(_MOST_TEST_WORDS, int(len(words) * 0.1))
        first = len(words) - held_out
        test = [words[i] for i in order[first:]]
        return {"train": [words[i] for i in order[:first]], "validation": test, "test": test}
    parts: dict[Split, list[str]] = {"train": [], "validation": [], "test": []}
    splits = {word: task.split_of(Example("", word)) for word in set(words)}
    for word in words:
        parts[splits[word]].append(word)
    return parts


def _torch_permutation(count: int, seed: int) -> list[int]:
    """What `torch.randperm(count)` gives after `torch.manual_seed(seed)`, for count below 2^32 / 20.

    Fisher and Yates's shuffle from the front, each place by one output of the Mersenne Twister.
    """
    drawn = np.random.RandomState(seed).randint(0, 2**32, size=count, dtype=np.uint32).tolist()
    order = list(range(count))
    for i in range(count - 1):
        other = i + drawn[i] % (count - i)
        order[i], order[other] = order[other], order[i]
    return order


def names() -> Experiment:
    """makemore's recipe for words: its transformer, on your own file.

    Needs a file of words: --task.path.

    Takes 1 min on two CPU cores.
    """
    return Experiment(
        task=Names(held_out=0.04),
        tokenizer="characters",
        model=makemore(),
        optimizer=AdamW(learning_rate=5e-4, schedule="constant", warmup_steps=0, decay="all", clip_norm=None),
        training=TrainingConfig(steps=3000, batch_size=32, test_examples=2000),
    )


#: makemore's models, from the one that sees least.
COMPARED = {
    "names": Compared(
        {
            "model": (
                *("makemore_bigram", "makemore_bag_of_words", "makemore_mlp", "makemore_rnn", "makemore_gru"),
                "makemore",
            )
        },
        budgets=("examples",),
    )
}
