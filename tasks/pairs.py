"""Pairs: a file of your own, one `prompt<TAB>target` a line.

A file `capitals.tsv`

    France<TAB>Paris
    Peru<TAB>Lima

is asked `France`, to be answered `Paris`, and the model reads exactly what the file says; a space or a mark
that should end the prompt stands before the tab.

    python train.py pairs --task.path capitals.tsv

JSON objects with a key for each are read, too, `{"question": "France", "answer": "Paris"}`.
Others' questions may be a file of their own: `--task.test-path FILE`; see docs/questions.md.

Tabs inside of a prompt separate several texts, such as a question and its choices, which a model with labels
reads: `--task.texts 0 --objective multiple-choice --model.kind encoder`.
"""

import dataclasses
import functools
import random
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from jaxgpt.evaluation.few_shot import FewShot
from jaxgpt.models.config import ModelConfig
from jaxgpt.task import Example, Share, Split
from jaxgpt.task.fingerprints import file_stamp
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.corpus import check_path, place_in
from tasks.corpus.number_errors import measure_errors
from tasks.corpus.pair_rows import Form, plain_numbers, read_pairs

#: What `--list` groups the experiments under.
HEADING = "files of your own"


@dataclasses.dataclass(frozen=True)
class Pairs(FewShot):
    """Lines of `prompt<TAB>target`; empty lines are passed over.

    The hash of a prompt decides its split, however often it stands in the file and with whatever targets. A
    prompt with two targets is asked twice and expects each of them once.
    """

    path: Annotated[str, "file with a prompt, a tab and a target on each line"] = ""
    texts: Annotated[int, "texts that make up a prompt, with tabs between them; 0: any number"] = 1
    validation_path: Annotated[str, "file of the validation questions; empty: a share of the lines"] = ""
    test_path: Annotated[str, "file of the test questions; empty: a share of the lines"] = ""
    prompt_key: Annotated[str, "key with the prompt, of JSON objects; empty: prompt, question or such"] = ""
    target_key: Annotated[str, "key with the target, of JSON objects; empty: target, answer or such"] = ""
    group: Annotated[
        str, "key of JSON objects with the group, a row of the results; column: a line's last column"
    ] = ""
    escapes: Annotated[Literal["kept", "read"], r"read: \n written out is a line end, \t a tab"] = "kept"
    numbers: Annotated[Literal["kept", "plain"], "plain: 13,086.50 is read as 13086.5"] = "kept"

    endless = False
    file_fields = ("path", "validation_path", "test_path", "hold_out")
    split_fields = ("held_out", "hold_out", "texts", "prompt_key", "escapes", "numbers")

    def __post_init__(self):
        super().__post_init__()
        if self.texts < 0:
            raise ValueError(f"texts={self.texts} must be at least 1, or 0 for any number")

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(pair.prompt for pair in self._pairs("validation")))[:2]

    def place_of(self, example: Example) -> str:
        files = [self.path, self.validation_path, self.test_path]
        return place_in(files, f"{example.canonical}\t{example.target}", example.canonical)

    def zero_shot_examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The lines of a split, in the order of the file.

        Raises:
          ValueError: if the file is missing, empty or not Unicode, a line is malformed, or none is left for
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

    def split_of(self, example: Example) -> Split:
        """A prompt in the file of a split is of that split, which then takes no share of the lines."""
        for split in ("test", "validation"):
            if example.canonical in self._prompts(split):
                return split
        split = super().split_of(example)
        kept_out = self.hold_out and example.canonical in self.kept_out
        return "train" if self._file(split) and not kept_out else split

    @functools.cached_property
    def kept_out(self) -> frozenset[str]:
        if not self.hold_out:
            return frozenset()
        self.stamp("hold_out")
        # In this file a line end may be written out, however the others are read.
        forms = (self._form, self._form._replace(escapes="read"))
        return frozenset(
            pair.prompt for form in forms for pair in read_pairs(self.hold_out, form, alone=True)
        )

    def typed(self, text: str) -> Example:
        return Example(plain_numbers(text) if self.numbers == "plain" else text, "")

    def notes(self) -> str:
        if self.escapes == "read" or not self.path:
            return ""
        count = sum("\\n" in pair.prompt for pair in _read(self.path, self.stamp("path"), self._form))
        return (
            f"written out  \\n in {count:,} prompts; --task.escapes read makes line ends of them"
            if count
            else ""
        )

    def summary(
        self, samples: list[tuple[Example, str]], training: Sequence[Example]
    ) -> dict[str, float | Share]:
        """How far answers that are numbers lie from targets that are."""
        return measure_errors([(example.target, completion) for example, completion in samples])

    def shot(self, rng: random.Random, question: Example) -> Example:
        pairs = self._pairs("train")
        if question.group:
            pairs = _groups(self, self._stamps()).get(question.group, pairs)
        return rng.choice(pairs)

    @property
    def _form(self) -> Form:
        return Form(self.texts, self.group, self.escapes, self.prompt_key, self.target_key, self.numbers)

    def _file(self, split: Split) -> str:
        return {"validation": self.validation_path, "test": self.test_path}.get(split, "")

    def _prompts(self, split: Split) -> frozenset[str]:
        file = self._file(split)
        # Asked of every line; the files were compared with the fingerprint when the lines were read.
        return _keys(file, file_stamp(file), self._form) if file else frozenset()

    def _pairs(self, split: Split) -> list[Example]:
        check_path(self.path)
        if file := self._file(split):
            return _read(file, self.stamp(f"{split}_path"), self._form)
        # Asked for every shot.
        return _of_split(self, split, self._stamps())

    def _stamps(self) -> tuple[tuple[int, int], ...]:
        return tuple(self.stamp(field) for field in self.file_fields if getattr(self, field))


@functools.lru_cache(maxsize=4)
def _of_split(task: Pairs, split: Split, stamps: tuple[tuple[int, int], ...]) -> list[Example]:
    """The pairs of a task's own file that are of a split; `stamps` tell changed files from those read."""
    pairs = _read(task.path, task.stamp("path"), task._form)
    return [pair for pair in pairs if task.split_of(pair) == split]


@functools.lru_cache(maxsize=4)
def _groups(task: Pairs, stamps: tuple[tuple[int, int], ...]) -> dict[str, list[Example]]:
    """The training pairs of each group."""
    found: dict[str, list[Example]] = {}
    for pair in _of_split(task, "train", stamps):
        found.setdefault(pair.group, []).append(pair)
    return found


@functools.lru_cache(maxsize=4)
def _keys(path: str, stamp: tuple[int, int], form: Form) -> frozenset[str]:
    return frozenset(pair.canonical for pair in _read(path, stamp, form))


@functools.lru_cache(maxsize=4)
def _read(path: str, stamp: tuple[int, int], form: Form) -> list[Example]:
    """The pairs of a file; `stamp` tells a changed file from the one that was read."""
    return read_pairs(path, form)


def pairs() -> Experiment:
    """The lines of your own file, `prompt<TAB>target`, read byte by byte.

    Needs a file of such lines: --task.path.
    """
    return Experiment(
        task=Pairs(),
        tokenizer="bytes",
        model=ModelConfig(num_layers=3, d_model=96, num_heads=4, max_length=256, init_std=None),
        optimizer=AdamW(learning_rate=3e-3, final_fraction=0.01, clip_norm=0.2),
        training=TrainingConfig(steps=2000, eval_every=500, sample_every=500),
    )
