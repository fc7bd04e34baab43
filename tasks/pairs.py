"""Pairs: a file of your own, one `prompt<TAB>target` a line.

A file `capitals.tsv`

    France<TAB>Paris
    Peru<TAB>Lima

is asked `France`, to be answered `Paris`, and the model reads exactly what the file says; a space or a mark
that should end the prompt stands before the tab.

    python train.py pairs --task.path capitals.tsv

Tabs inside of a prompt separate several texts, such as a question and its choices, which a model with labels
reads: `--task.texts 0 --training.objective choice --model.kind encoder`.
"""

import dataclasses
import functools
import random
from collections.abc import Iterator
from typing import Annotated

from jaxgpt.experiment import Experiment
from jaxgpt.few_shot import FewShot
from jaxgpt.models.config import ModelConfig
from jaxgpt.task import Example, Split
from jaxgpt.training.config import OptimizerConfig, TrainingConfig
from jaxgpt.wording import one_line
from tasks.corpus import OfFiles, read_lines


@dataclasses.dataclass(frozen=True)
class Pairs(OfFiles, FewShot):
    """Lines of `prompt<TAB>target` in UTF-8; empty lines are passed over.

    The hash of a prompt decides its split, however often it stands in the file and with whatever targets. A
    prompt with two targets is asked twice and expects each of them once.
    """

    path: Annotated[str, "file with a prompt, a tab and a target on each line, UTF-8"] = ""
    texts: Annotated[int, "texts that make up a prompt, with tabs between them; 0: any number"] = 1

    endless = False

    def __post_init__(self):
        super().__post_init__()
        if self.texts < 0:
            raise ValueError(f"texts={self.texts} must be at least 1, or 0 for any number")

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(pair.prompt for pair in self._pairs("validation")))[:2]

    def zero_shot_examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The lines of a split, in the order of the file.

        Raises:
          ValueError: if the file is missing, empty or not UTF-8, a line is malformed, or no line is left for
            the split.
        """
        pairs = self._pairs(split)
        if not pairs:
            change = "lower" if split == "train" else "raise"
            raise ValueError(
                f"{self.path} has no line for {split} with task.held_out={self.held_out}; "
                f"{change} that, or add lines"
            )
        yield from pairs

    def shot(self, rng: random.Random, question: Example) -> Example:
        return rng.choice(self._pairs("train"))

    def _pairs(self, split: Split) -> list[Example]:
        pairs = _read(self.path, self.stamp(), self.texts)
        return [pair for pair in pairs if self.split_of(pair) == split]


@functools.lru_cache(maxsize=4)
def _read(path: str, stamp: tuple[int, int], texts: int) -> list[Example]:
    """The lines of a file; `stamp` tells a changed file from the one that was read."""
    pairs = []
    for number, line in enumerate(read_lines(path), 1):
        if line.strip() or "\t" in line:
            pairs.append(_pair(line, f"{path} line {number}", texts))
    return pairs


def _pair(line: str, where: str, texts: int) -> Example:
    prompt, _, target = line.rpartition("\t")
    count = line.count("\t")
    if count == (texts or max(count, 1)) and prompt and target:
        return Example(prompt, target)
    tabs = f"{count} tab" + "s" * (count > 1) if count else "no tab"
    side = "after" if prompt else "before"
    wrong = tabs if count != (texts or max(count, 1)) else f"nothing {side} its tab"
    shown = line if len(line) <= 60 else line[:57] + "..."
    needed = (
        "a prompt, one tab, and a target" if texts == 1 else f"{texts or 'its'} texts and a target, by tabs"
    )
    more = "; or set task.texts=0, for prompts of several texts" if count > 1 and texts == 1 else ""
    raise ValueError(one_line(f"{where} has {wrong}: {shown!r}; a line is {needed}{more}"))


def pairs() -> Experiment:
    """The lines of your own file, `prompt<TAB>target`, read byte by byte (needs --task.path)."""
    return Experiment(
        task=Pairs(),
        tokenizer="bytes",
        model=ModelConfig(num_layers=3, d_model=96, num_heads=4, max_length=256, init_std=None),
        optimizer=OptimizerConfig(learning_rate=3e-3, final_fraction=0.01, clip_norm=0.2),
        training=TrainingConfig(steps=2000, eval_every=500, sample_every=500),
    )
