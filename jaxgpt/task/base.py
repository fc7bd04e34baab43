"""What a task is: examples, splits, scores, and the notation a person uses."""

import dataclasses
import functools
import hashlib
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from jaxgpt.core.choice import Choice
from jaxgpt.core.fields import told
from jaxgpt.core.wording import in_file, quoted
from jaxgpt.task.attended import Attended
from jaxgpt.task.diagnosis import Diagnosis
from jaxgpt.task.fingerprints import check_files, file_stamp, fingerprint_files
from jaxgpt.task.probed import Probed
from jaxgpt.task.question_file import read_questions
from jaxgpt.task.searching import Search

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
#: So many times the expected wait for an example of a split says that the task has none.
_PATIENCE = 10_000


@dataclasses.dataclass(frozen=True)
class Example:
    """One row of a task, in the text that the model reads.

    Attributes:
      prompt: what the model is given.
      target: what it should write, without an end marker (the tokenizer's end token follows it).
      group: the row of the results table that the example belongs to, such as `3+5 digits`.
      key: the canonical form that decides the split; two examples that must not be separated by the
        split (a square and its mirror image) share a key. Empty: the prompt, or without one the target.
    """

    prompt: str
    target: str
    group: str = ""
    key: str = ""

    @property
    def canonical(self) -> str:
        return self.key or self.prompt or self.target


class Share(NamedTuple):
    """A measure that is a share of `n` independent things, which tells how sure it is with one seed, too.

    `per`: the share is reported times this, such as 1000 for so many in 1,000.
    """

    value: float
    n: int
    per: float = 1.0


def shuffled(examples: Iterable[Example], seed: int) -> Iterator[Example]:
    """The examples in an order that follows from the seed alone."""
    found = list(examples)
    random.Random(seed).shuffle(found)
    return iter(found)


@dataclasses.dataclass(frozen=True)
class Task(Choice, package="tasks"):
    """The base of every task: a frozen dataclass whose fields are its settings.

    A generated task defines `example`; a task over a finite set or a corpus overrides `examples`.
    Either may override `score`, which is 1 where the answer is exactly the target.
    """

    held_out: Annotated[float, "share of the canonical examples in validation, and again in test"] = 0.1
    hold_out: Annotated[
        str, "file of questions that are kept out of training, whatever the split; they are of test"
    ] = ""
    #: Of the files, known where a run has begun; empty: they may hold anything.
    fingerprint: str = told("")

    #: `rows`: one padded row an example. `stream`: examples joined by the end token and cut into windows.
    layout: ClassVar[Literal["rows", "stream"]] = "rows"

    #: Whether `examples` never ends; of a finite task every example is trained on.
    endless: ClassVar[bool] = True

    #: At which held-out questions are answered; 0 takes the most likely answer. Where every question is the
    #: same, as when a model is to write something from nothing, its answers differ only above 0.
    temperature: ClassVar[float] = 0.0

    #: Whether texts are written from nothing: the empty prompt is every question, and is asked as often as
    #: questions are wanted, however few texts are held out.
    from_nothing: ClassVar[bool] = False

    #: Answers drawn to each held-out question, of which `choose` takes one.
    candidates: ClassVar[int] = 1

    #: Fields that decide which split an example falls in; an evaluation may not change them.
    split_fields: ClassVar[tuple[str, ...]] = ("held_out", "hold_out")

    #: Fields that name files, in an order that stays. What the files hold is recorded with a run; the files
    #: themselves may move.
    file_fields: ClassVar[tuple[str, ...]] = ("hold_out",)

    #: What `diagnose` calls wrong answers, in the order in which tables and pictures show it.
    wrong_kinds: ClassVar[tuple[str, ...]] = ()

    #: Why a share of `summary` is one of nothing, where it may be, by its name.
    empty_shares: ClassVar[Mapping[str, str]] = {}

    #: Prompts, in ordinary notation, of which samples are shown while training.
    sample_prompts: ClassVar[tuple[str, ...]] = ()

    def example(self, rng: random.Random) -> Example:
        """One example drawn with `rng`, of whichever split its key falls in."""
        raise NotImplementedError(f"{type(self).__name__} defines neither example nor examples")

    def split_of(self, example: Example) -> Split:
        """The split an example belongs to: a hash of its canonical form, the same in every process.

        What the file `hold_out` names is of test, whatever its hash.

        Raises:
          ValueError: if there is such a file, and `typed` gives no question the key that this example has.
        """
        if self.hold_out:
            self._check_key(example)
        if self.hold_out and example.canonical in self.kept_out:
            return "test"
        digest = hashlib.blake2b(example.canonical.encode(), digest_size=8).digest()
        share = int.from_bytes(digest, "big") / 2**64
        if share < self.held_out:
            return "test"
        return "validation" if share < 2 * self.held_out else "train"

    def _check_key(self, example: Example) -> None:
        own = type(self)
        by_prompt = own.typed is Task.typed and own.held_forms is Task.held_forms
        if by_prompt and example.prompt and example.key not in ("", example.prompt):
            raise ValueError(
                f"task.hold_out={self.hold_out} cannot keep {quoted(example.prompt)} out: {own.__name__} "
                "splits by a key that typed() does not give; define typed(text), which returns prompt and key"
            )

    @functools.cached_property
    def kept_out(self) -> frozenset[str]:
        """The canonical forms of the questions in the file `hold_out`.

        Raises:
          ValueError: if the file cannot be read, or a line of it is no question of this task.
        """
        if not self.hold_out:
            return frozenset()
        self.stamp("hold_out")
        found = set()
        for where, text in read_questions(self.hold_out):
            try:
                found.update(self.held_forms(text))
            except ValueError as error:
                raise ValueError(in_file(self.hold_out, f"{where}: {error}")) from error
        return frozenset(found)

    def held_forms(self, text: str) -> Iterable[str]:
        """The canonical forms of the examples that a line of the file `hold_out` keeps out of training.

        One line is one question, unless a task makes several examples of a line, or splits by paragraphs.

        Raises:
          ValueError: if the line is no question of this task.
        """
        return (self.typed(text).canonical,)

    def forms(self) -> Iterable[str] | None:
        """The canonical forms of all examples of a generated task; None where they are too many to list.

        With them it is known at once, and not after a search, that a split has no example.
        """
        return None

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The examples of one split: endless for a generated task, finite for a corpus.

        Example i of a generated task depends on (split, seed, i) alone.

        Raises:
          ValueError: if `held_out` leaves the split nothing, or nothing of it is found.
        """
        share = 1 - 2 * self.held_out if split == "train" else self.held_out
        if not 0 < share <= 1:
            raise ValueError(f"task.held_out={self.held_out} leaves no {split} examples; use e.g. 0.1")
        forms = self.forms()
        if forms is not None and all(self.split_of(Example("", "", key=form)) != split for form in forms):
            raise ValueError(
                f"task.held_out={self.held_out} leaves no {split} examples of the few that the task has; "
                "change it, or what the task draws from"
            )
        return self._of_split(split, seed, share)

    def check_training(self, count: int) -> None:
        """Called before so many training examples of a generated task are drawn.

        Raises:
          ValueError: if the task knows that they are in vain, such as more than there are different ones.
        """

    def _of_split(self, split: Split, seed: int, share: float) -> Iterator[Example]:
        way_out = f"change task.held_out={self.held_out}, or what the task draws from"
        search, missed = Search(f"{split} examples", way_out), 0
        for index in range(2**62):
            example = self.example(random.Random((seed << 64) ^ (SPLITS.index(split) << 62) ^ index))
            if self.split_of(example) == split:
                missed = 0
                search.found()
                yield example
                continue
            missed += 1
            search.missed()
            if missed > _PATIENCE / share:
                raise ValueError(
                    f"{missed} examples drawn one after the other were none of {split}: the task has too few "
                    f"for task.held_out={self.held_out}; change it, or what the task draws from"
                )

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """What exact match is measured on; the examples unless a task says otherwise.

        Those of a finite task come shuffled: a file may be sorted, and the first of them are asked.
        """
        examples = self.examples(split, seed)
        return examples if self.endless else shuffled(examples, seed)

    def extra_questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """Questions unlike the training, such as longer ones, with rows of their own; by default none."""
        return iter(())

    def selection_questions(self, seed: int = 0) -> Iterator[Example] | None:
        """Questions that rank checkpoints where the validation split is too easy to, such as longer ones.

        They are neither trained on nor tested on. None: the task has no such questions.
        """
        return None

    def probed(self, seed: int = 0) -> Probed | None:
        """Texts with what a model must work out on the way; None if the task does not know it."""
        return None

    def attended(self, seed: int = 0) -> Attended | None:
        """Texts of one length whose mean attention says where each place looks; None if that says nothing."""
        return None

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """Named scores of a completion, `exact_match` (0 or 1) among them.

        `completion` is the model's text after the prompt, without the end token.
        """
        return {"exact_match": float(completion == example.target)}

    def diagnose(self, example: Example, completion: str) -> Diagnosis | None:
        """Where a completion is right and how it is wrong; None where the task cannot say of this question.

        It calls right what `score` gives an exact match.
        """
        return None

    def token_files(self) -> Path | None:
        """A directory made by `jaxgpt tokenize`, whose tokens are trained on in place of `examples`.

        The examples are then documents of it, to look at and to ask about.
        """
        return None

    def pinned(self) -> Self:
        """The task with the fingerprint of its files, as a run records it.

        Another text also has another border between training and held-out text.

        Raises:
          ValueError: if the fingerprint is filled in, and they hold anything else.
        """
        if self.fingerprint:
            check_files(self.fingerprint, self._files())
            return self
        return dataclasses.replace(self, fingerprint=fingerprint_files(self._files()))

    def stamp(self, field: str) -> tuple[int, int]:
        """`file_stamp` of a field's file, to be asked for before each reading of it.

        Raises:
          ValueError: if a file is not as the fingerprint says.
        """
        if self.fingerprint:
            check_files(self.fingerprint, self._files())
        return file_stamp(getattr(self, field))

    def _files(self) -> dict[str, str]:
        return {field: getattr(self, field) for field in self.file_fields}

    def place_of(self, example: Example) -> str:
        """Where an example stands in the file, such as `pairs.tsv: line 3`; "" if that is not known."""
        return ""

    def typed(self, text: str) -> Example:
        """The question in what a person types, such as `9+71421`, with its key; it may lack the target.

        Raises:
          ValueError: if the text is not a question of this task; the message shows one that is.
        """
        own = type(self).prompt is not Task.prompt
        return Example(self.prompt(text) if own else text, "")

    def prompt(self, text: str) -> str:
        """The model's prompt for what a person types.

        Raises:
          ValueError: as `typed`.
        """
        return self.typed(text).prompt

    def answer(self, prompt: str, completion: str) -> str:
        """The model's completion in ordinary notation; as it stands where it cannot be read."""
        return completion

    def choose(self, example: Example, completions: Sequence[str]) -> int:
        """The index of the answer that counts, of several `candidates`, told by their own text alone."""
        return 0

    def headings(self, example: Example) -> tuple[str, ...]:
        """Further rows of the results table that an example counts in, beside the one of its group.

        They gather groups where there are too many to read, such as all pairs of unequal length.
        """
        return ()

    def notes(self) -> str:
        """What a person should know of the data before training, such as how much was dropped."""
        return ""

    def yardsticks(self) -> dict[str, float]:
        """Figures by name that stand beside those of an evaluation, such as what chance gives; none here."""
        return {}

    def summary(
        self, samples: list[tuple[Example, str]], training: Sequence[Example]
    ) -> dict[str, float | Share]:
        """Measures of a whole set of (question, completion) pairs beyond the mean of `score`."""
        return {}

    def summary_limit(self, name: str) -> float:
        """The largest value that a measure of `summary` can have, at which intervals over seeds end.

        A `Share` ends at its own. Where nothing is negative they end at 0 as well.
        """
        return math.inf

    def picture(self, samples: list[tuple[Example, str]], path: Path) -> bool:
        """Draw answers that are better looked at than counted, as a PNG; whether there was anything to draw.

        `samples` are (question, completion) pairs of an evaluation.
        """
        return False
