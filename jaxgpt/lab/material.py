"""What the lab reads of a run: its texts, and prompts with what follows them."""

import contextlib
import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence

from jaxgpt.evaluation.questions import select
from jaxgpt.lab.subject import Subject, has_steps
from jaxgpt.lab.surprise import next_tokens
from jaxgpt.runs.run import Run
from jaxgpt.task import Split
from jaxgpt.task.attended import Attended
from jaxgpt.task.probed import Probed
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet

#: Characters of a text that are read at every checkpoint, at most.
MOST = 50_000
#: Prompts that the methods of attribution are scored on.
ASKED = 60
#: Passages of a text that are looked for in another, and their characters.
_PASSAGES, _PASSAGE = 20, 100
#: Characters of a prompt that is cut out of a text, at most.
_LENGTH = 32


@dataclasses.dataclass(frozen=True)
class Reading:
    """A run, and what it is asked.

    Attributes:
      training: text that it was trained on; "" for a task of questions.
      held_out: text that it was not trained on; "" for a task of questions.
      asked: held-out prompts, each with the text of the token that follows it.
      source: shows how it learned, if checkpoints of several steps were kept.
    """

    name: str
    run: Run
    training: str
    held_out: str
    asked: Sequence[tuple[str, str]]
    source: Run | Subject

    def has_seen(self, text: str) -> bool:
        """Whether a text is one that it was trained on: half of some passages of it, or more."""
        places = range(0, max(len(text) - _PASSAGE, 1), max(1, len(text) // _PASSAGES))
        found = [text[place : place + _PASSAGE] in self.training for place in places]
        return 2 * sum(found) >= len(found) and bool(self.training)

    @functools.cached_property
    def probed(self) -> Probed | None:
        """What its task knows to be worked out on the way."""
        return self.run.task.probed()

    @functools.cached_property
    def attended(self) -> Attended | None:
        """Texts of its task whose mean attention says where each place looks."""
        return self.run.task.attended()

    @property
    def subject(self) -> Subject:
        return Subject.of(self.run)

    @property
    def texts(self) -> dict[str, str]:
        """As much of each as is read at every checkpoint."""
        return {"training": self.training[:MOST], "held out": self.held_out[:MOST]}


def reading(name: str, run: Run) -> Reading:
    """What is read of a run.

    Raises:
      ValueError: if its model is no decoder, its task's files cannot be read, or a held-out text is too short
        for a prompt.
    """
    subject = Subject.of(run).decoder()
    source = run if has_steps(run) else subject
    if run.task.layout != "stream":
        found = select(run.task, "test", n=ASKED, n_extra=0, data_seed=run.experiment.training.data_seed)
        examples = [question.example for question in found]
        asked = [(e.prompt, first) for e in examples if (first := _first(subject, e.target))]
        return Reading(name, run, "", "", asked, source)
    training, held_out = (running_text(run, split) for split in ("train", "test"))
    return Reading(name, run, training, held_out, list(_cut(subject, held_out)), source)


def running_text(run: Run, split: Split) -> str:
    """The text of a split."""
    examples = run.task.examples(split, run.experiment.training.data_seed)
    return "".join(example.prompt + example.target for example in examples)


def _cut(subject: Subject, text: str) -> Iterator[tuple[str, str]]:
    """Prompts spread over a text."""
    length = min(_LENGTH, (subject.models[0].config.max_length - 2) // 2)
    if len(text) < 3 * length:
        raise ValueError(
            f"the held-out text has {len(text)} characters; {3 * length} are needed for a prompt"
        )
    step = max(1, (len(text) - 2 * length) // ASKED)
    for place in itertools.islice(range(0, len(text) - 2 * length, step), ASKED):
        prompt, after = text[place : place + length], text[place + length : place + 2 * length]
        prompt = _fitting(subject, prompt)
        if target := _first(subject, after):
            yield prompt, target


def _fitting(subject: Subject, prompt: str) -> str:
    """The end of a prompt, of as many tokens as the model reads and two more behind it."""
    tokenizer, most = subject.tokenizer, subject.models[0].config.max_length - 2
    with contextlib.suppress(OutsideAlphabet):  # which is told where the prompt is asked
        while len(tokenizer.begun(tokenizer.encode_exactly(prompt))) > most:
            prompt = prompt[1:]
    return prompt


def _first(subject: Subject, text: str) -> str:
    """The text of the first token of a text; "" where that is no token by itself."""
    try:
        target = subject.shown(subject.tokenizer.encode_exactly(text)[:1])
        subject.token("".join(target))
    except ValueError:
        return ""
    return "".join(target)


def asked(
    readings: Sequence[Reading], prompts: Sequence[str], targets: Sequence[str]
) -> list[tuple[str, str]]:
    """The prompts that are looked at, each with its target; without any, the first that the first run asks.

    Args:
      targets: as many as prompts, or none: then the likeliest token by the first run.

    Raises:
      ValueError: for a number of targets that does not fit, or a prompt or a target that a run cannot read.
    """
    if targets and len(targets) != len(prompts):
        raise ValueError(f"{len(targets)} targets for {len(prompts)} prompts; give one for each, or none")
    if not prompts:
        if not readings[0].asked:
            raise ValueError(f"{readings[0].name} asks nothing that begins with a token; give a prompt")
        found = [readings[0].asked[0]]
    else:
        chosen = targets or [_likeliest(readings[0].subject, prompt) for prompt in prompts]
        found = list(zip(prompts, chosen, strict=True))
    for one in readings:
        for prompt, target in found:
            try:
                one.subject.encode(prompt)
                one.subject.token(target)
            except ValueError as error:
                raise ValueError(f"{one.name}: {error}") from error
    return found


def _likeliest(subject: Subject, prompt: str) -> str:
    """The likeliest token behind a prompt that has a text of its own."""
    found = next_tokens(subject, prompt, count=1)
    texts = (text for text, _ in found.top(0, 0, len(found.tokens)))
    return next((text for text in texts if _first(subject, text) == text), "")
