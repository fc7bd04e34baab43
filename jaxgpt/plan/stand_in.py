"""Data that stands in for data that is not there: what a step needs depends on shapes alone."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

from jaxgpt import tokenizers
from jaxgpt.core.usage import UsageError
from jaxgpt.data.rows import narrowest
from jaxgpt.task import Example, Split, Task
from jaxgpt.tokenizers.tokenizer import Texts, Tokenizer, look_up
from jaxgpt.training.experiment import Experiment

#: Ids of GPT-2's vocabulary, which is taken where nothing says how many there are.
GPT2_IDS = 50_257
_SPECIAL, _DIGITS = 3, "0123456789"


class Ids(Tokenizer):
    """So many ids, and nothing known of them: a digit is one, and so is any other character."""

    usage = "a number of ids"
    pad_id, bos_id, eos_id = 0, 1, 2

    def __init__(self, size: int):
        self._texts = ["", "", "", *_DIGITS, *(f"<{i}>" for i in range(len(_DIGITS), size))][:size]

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "Ids":
        if len(arguments) != 1 or not arguments[0].isdecimal():
            raise cls.wrong_spec(arguments, "a number of ids is needed")
        return cls(int(arguments[0]))

    @property
    def vocab_size(self) -> int:
        return len(self._texts)

    def encode(self, text: str) -> list[int]:
        return [_SPECIAL + ord(character) % (self.vocab_size - _SPECIAL) for character in text]

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(look_up(self._texts, ids))

    def token_texts(self) -> list[str]:
        return list(self._texts)

    def to_json(self) -> dict[str, Any]:
        return {"size": self.vocab_size}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Ids":
        return cls(data["size"])


@dataclasses.dataclass(frozen=True)
class Rows(Task):
    """Rows as long as the model can read them."""

    prompt: Annotated[str, "of every example"] = ""
    target: Annotated[tuple[str, ...], "of one example each"] = ("0",)

    endless = False

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        for target in self.target:
            yield Example(self.prompt, target)


@dataclasses.dataclass(frozen=True)
class Text(Task):
    """A text a little longer than what the model reads at once."""

    characters: Annotated[int, "in the text"] = 0

    layout = "stream"
    endless = False

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        yield Example("", "01. " * (self.characters // 4 + 1))


def replaced(experiment: Experiment, vocab_size: int) -> Experiment:
    """The experiment on data that stands in for its own, of the same layout and as long as the model reads.

    There is as much text as the run reads; rows are as many as it draws.

    Raises:
      ValueError: if its objective reads more out of a text than its length.
    """
    training, length = experiment.training, experiment.model.max_length
    if experiment.task.layout == "stream":
        task: Task = Text(characters=2 * length + 8)
        count = training.steps * training.batch_size * length
    else:
        prompt, targets = experiment.objective.longest_example(experiment.model)
        task = Rows(prompt=prompt, target=targets)
        count = training.train_examples * (length + 1) * (1 + (experiment.model.kind == "encoder_decoder"))
    size = count * narrowest(vocab_size).itemsize
    fits = size <= training.on_device_mib * 2**20
    training = dataclasses.replace(
        training,
        epochs=None,
        select_every=0,
        eval_examples=1,
        on_device_mib=training.on_device_mib if fits else 0,
    )
    # The weights are drawn: those of a directory have the same shapes.
    model = dataclasses.replace(experiment.model, init="")
    return dataclasses.replace(experiment, task=task, training=training, model=model)


def vocabulary(experiment: Experiment, asked: int | None) -> tuple[int, str]:
    """How many ids the tokenizer will have, and how that is known.

    Args:
      asked: the number that was given for it.

    Raises:
      UsageError: if it is too small for anything.
    """
    if asked is not None:
        if asked <= _SPECIAL + len(_DIGITS):
            raise UsageError(f"--vocab {asked}: more than {_SPECIAL + len(_DIGITS)} ids are needed")
        return asked, "as given"
    if experiment.model.vocab_size:
        return experiment.model.vocab_size, "model.vocab_size"
    spec = experiment.tokenizer
    if not spec:  # it is that of files of tokens, which are not there
        return GPT2_IDS, "those of GPT-2, since no tokenizer is named; --vocab sets another number"
    try:
        return tokenizers.build(spec, _no_text).vocab_size, spec
    except _Unread:
        size = spec.partition(":")[2]
        if size.isdecimal():
            return int(size), f"as many as {spec} learns at most; --vocab sets another number"
        return (
            GPT2_IDS,
            f"those of GPT-2, since {spec} learns its own from data; --vocab sets another number",
        )


class _Unread(Exception):
    """A tokenizer asked for text, and there is none."""


def _no_text() -> Iterable[str]:
    raise _Unread
