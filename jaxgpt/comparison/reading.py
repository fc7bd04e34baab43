"""How one tokenizer reads one task: what it makes of the numbers, and how long its rows are."""

import contextlib
import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from jaxgpt.evaluation.questions import Question, select
from jaxgpt.task import Example
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet, Tokenizer
from jaxgpt.training import prepare
from jaxgpt.training.experiment import Experiment

#: Examples whose numbers are looked at one by one.
_LOOKED_AT = 2000

#: Test questions of which one is shown, and how much of it.
_CHOSEN_FROM, _SHOWN = 100, 60
#: Characters of a text that are cut into tokens to show those.
_READ = 600

#: Behind the splits: what is asked with the test questions, and is not like them.
_BEYOND = "beyond training"

#: With its decimal places: on their own those of 3.07 are no number that every tokenizer takes.
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


@dataclasses.dataclass(frozen=True)
class Facts:
    """What is known of a cell before it is trained.

    Attributes:
      tokens_per_number: of the numbers trained on, each encoded on its own; None without numbers.
      tokens_per_example: of prompt and target, without begin, end and padding.
      characters_per_token: of the same text.
      tokens: that the decoder reads of a row, padding included; source: the encoder.
      params: trainable numbers; body: those without embeddings.
      flops: of one example in training.
      fingerprint: of the tokenizer; files: of the task's files.
      question, answer: a test question as its tokens, `714|21|+|9|=` and `714|30`; empty where comparisons
        were begun before they had them.
    """

    vocab_size: int
    tokens_per_number: float | None
    tokens_per_example: float
    characters_per_token: float
    tokens: int
    source: int
    params: int
    body: int
    flops: int
    fingerprint: str
    files: str = ""
    question: str = ""
    answer: str = ""


@dataclasses.dataclass(frozen=True)
class Material:
    """The examples of a task that a run trains on, and those it is measured with."""

    train: Sequence[Example]
    validation: Sequence[Example]
    test: list[Question]

    @property
    def numbers(self) -> list[str]:
        """Different runs of digits in the examples, the longest among them."""
        asked = [question.example for question in self.test[-_LOOKED_AT:]]
        numbers = _numbers([*self.train[:_LOOKED_AT], *asked])
        return list(dict.fromkeys(run for number in numbers for run in number.split(".")))


@dataclasses.dataclass(frozen=True)
class Reading:
    """A tokenizer, and the tokens of everything in the material.

    Attributes:
      prompts, targets: tokens of each example's prompt and target, training examples first; a text's
        `targets` count prompt and target together.
      unseen: symbols of the alphabet that no training text shows.
    """

    tokenizer: Tokenizer
    prompts: np.ndarray
    targets: np.ndarray
    trained: int
    unseen: tuple[str, ...] = ()

    def needed(self, *, encoder_decoder: bool) -> int:
        """The `max_length` that the longest example needs."""
        # A decoder reads a begin token before and none after; an encoder the end token.
        return 1 + int(self._longest(self.prompts, self.targets, encoder_decoder).max())

    def width(self, *, encoder_decoder: bool) -> int:
        """Tokens that a decoder reads of a padded training row."""
        targets = self.targets[: self.trained]
        return 1 + int((targets if encoder_decoder else targets + self.prompts[: self.trained]).max())

    def source_width(self) -> int:
        """The same of an encoder."""
        return 1 + int(self.prompts[: self.trained].max())

    @staticmethod
    def _longest(prompts, targets, both):
        return np.maximum(prompts, targets) if both else prompts + targets


def gather(experiment: Experiment) -> Material:
    """The material of an experiment.

    Raises:
      ValueError: if a split has nothing in it, or the task cannot be read.
    """
    training, task = experiment.training, experiment.task
    train = prepare.training_examples(experiment, "train", training.train_examples)
    validation = prepare.training_examples(experiment, "validation", max(training.eval_examples, 1))
    test = select(
        task,
        "test",
        n=training.test_examples,
        n_extra=training.extra_examples,
        data_seed=training.data_seed,
    )
    for split, found in (("train", train), ("validation", validation), ("test", test)):
        if not found:
            raise ValueError(f"the {split} split is empty; change task.held_out or give the task more data")
    if not any(question.in_distribution for question in test):
        raise ValueError("the test split is empty; change task.held_out or give the task more data")
    return Material(train, validation, test)


def read(experiment: Experiment, material: Material) -> Reading:
    """Build the experiment's tokenizer and encode the material with it.

    Raises:
      ValueError: if the tokenizer cannot be built, cannot spell the task, or does not give its text back.
    """
    tokenizer, unseen = prepare.tokenizer_and_unseen(experiment, material.train)
    parts = (
        ("train", material.train),
        ("validation", material.validation),
        ("test", [question.example for question in material.test if question.in_distribution]),
        (_BEYOND, [question.example for question in material.test if not question.in_distribution]),
    )
    prompts, targets = [], []
    for split, examples in parts:
        with _naming(split):
            if experiment.task.layout == "stream":
                targets.append(_counts(tokenizer, [e.prompt + e.target for e in examples]))
                prompts.append(np.zeros_like(targets[-1]))
            else:
                prompts.append(_counts(tokenizer, [e.prompt for e in examples]))
                targets.append(_counts(tokenizer, [e.target for e in examples]))
    for example in material.test[:_LOOKED_AT]:
        _check_lossless(tokenizer, example.example.target)
    counts = np.concatenate(prompts), np.concatenate(targets)
    return Reading(tokenizer, *counts, len(material.train), tuple(unseen))


def _numbers(examples: Sequence[Example]) -> list[str]:
    return [
        n for example in examples for text in (example.prompt, example.target) for n in _NUMBER.findall(text)
    ]


@contextlib.contextmanager
def _naming(split: str):
    try:
        yield
    except OutsideAlphabet as error:
        where, way_out = f"{split} split", "leave this tokenizer out"
        if split == _BEYOND:
            where, way_out = f"questions {_BEYOND}", "ask none of them (--training.extra-examples 0)"
        raise ValueError(f"{where}: {error}; or {way_out}") from error


def _counts(tokenizer: Tokenizer, texts: Sequence[str]) -> np.ndarray:
    """Tokens of each text; a task with few different ones is quick."""
    different = list(dict.fromkeys(texts))
    counts = dict(zip(different, map(len, tokenizer.encode_batch(different)), strict=True))
    return np.asarray([counts[text] for text in texts], np.int64)


def _check_lossless(tokenizer: Tokenizer, target: str) -> None:
    back = tokenizer.decode(tokenizer.encode(target))
    if back != target:
        raise ValueError(
            f"the answer {_clipped(target)} comes back as {_clipped(back)} from the tokenizer, so no answer "
            "could be exact; use one that keeps every digit, or leave it out"
        )


def _clipped(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def telling(material: Material, tokenizers: Sequence[Tokenizer]) -> Example:
    """A test question that shows how tokenizers differ: one of those that most of them cut differently.

    Among these it is the longest, and not beyond what is trained on.
    """

    def key(example: Example) -> tuple[int, int]:
        different = {(cut(t, example.prompt), cut(t, example.target)) for t in tokenizers}
        return len(different), len(example.prompt + example.target)

    asked = [question.example for question in material.test if question.in_distribution]
    return max(asked[:_CHOSEN_FROM], key=key)


def text_facts(reading: Reading, material: Material, shown: Example) -> dict[str, float | str | None]:
    """The facts that concern the text alone; `shown` is the question that is shown as its tokens."""
    numbers = _numbers(material.train[:_LOOKED_AT])
    tokens = int(reading.prompts[: reading.trained].sum() + reading.targets[: reading.trained].sum())
    characters = sum(len(example.prompt) + len(example.target) for example in material.train)
    return {
        "tokens_per_number": float(_counts(reading.tokenizer, numbers).mean()) if numbers else None,
        "tokens_per_example": tokens / reading.trained,
        "characters_per_token": characters / max(tokens, 1),
        "question": cut(reading.tokenizer, shown.prompt),
        "answer": cut(reading.tokenizer, shown.target),
    }


def cut(tokenizer: Tokenizer, text: str) -> str:
    """A text as its tokens, `714|21`; a long one as its beginning."""
    if len(text) > _READ:  # of a document its beginning, which ends in no number that would be cut
        text = text[:_READ].rstrip("0123456789.") or text
    parts, texts = [], tokenizer.token_texts()
    for token in tokenizer.encode(text):
        if sum(map(len, parts)) >= _SHOWN:
            return "|".join([*parts, "..."]).replace("\n", "\\n")
        # A part of a number, or of a character, decodes to its name and U+FFFD, or has a name and no text.
        names = (tokenizer.decode([token]), texts[token], f"<{token}>")
        found = (name.removesuffix("\ufffd") for name in names)
        parts.append(next(name for name in found if name and "\ufffd" not in name))
    return "|".join(parts).replace("\n", "\\n")


def split_number(tokenizer: Tokenizer, numbers: Sequence[str]) -> str | None:
    """The first number that is not one token a digit, such as `65 as '65'`; None if all are.

    Schemes that count digits take such a token for one digit, or for none.
    """
    texts = tokenizer.token_texts()
    for number in numbers:
        try:
            parts = [texts[i] for i in tokenizer.encode(number)]
        except OutsideAlphabet:  # the decimal places of a number that it reads as a whole
            return f"{number} as no number of its own"
        if parts != list(number):
            return f"{number} as {' '.join(map(repr, parts))}"
    return None
