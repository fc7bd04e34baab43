"""Synopses: a language model on one column of a table, such as the plots of films.

A table `films.csv`

    title,synopsis
    Harbour,"A lighthouse keeper finds a letter and sails to where it came from. (Source: publisher)"

gives the document `A lighthouse keeper finds ... where it came from.`, and where that document is held out,
the question `A lighthouse keeper finds a letter and sails to where it came` with the target ` from`.

    python train.py synopses --task.path films.csv

JSON lines (the column is a key) and plain text (paragraphs) are read as well.
"""

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, ClassVar

from jaxgpt.evaluation.variety import variety, variety_limit
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.presets.small import small
from jaxgpt.task import Example, Split, Task, shuffled
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.optimizers.muon import Muon
from jaxgpt.training.training_config import TrainingConfig
from tasks.corpus import Report, clean, last_word, last_word_score, read_documents, shortened
from tasks.corpus.cleaning import check_rules

#: What `--list` groups the experiments under.
HEADING = "files of your own"

RULES = (
    "credits",
    "sources",
    "symbols",
    "spaces",
    "placeholders",
    "short",
    "long",
    "adaptations",
    "duplicates",
)


@dataclasses.dataclass(frozen=True)
class Synopses(Task):
    """Short documents from one file, cleaned by named rules; asked for the last word of each.

    The split is a hash of the cleaned document, so that equal documents never stand on both sides.
    """

    path: Annotated[str, "file of documents: .csv, .tsv, .jsonl or plain text"] = ""
    text_column: Annotated[
        str | None, "column or key with the text, or its number without a header; none: the obvious one"
    ] = None
    delimiter: Annotated[str | None, "comma, semicolon, tab, pipe or a character; none: found"] = None
    rules: Annotated[tuple[str, ...], "cleaning, in this order"] = RULES
    min_characters: Annotated[int, "shortest document the rule `short` keeps"] = 200
    max_characters: Annotated[int, "longest document the rule `long` keeps"] = 1000
    question_characters: Annotated[int, "characters shown before a last word that is asked; 0: all"] = 0

    layout = "stream"
    endless = False
    file_fields = ("path", "hold_out")
    split_fields = (
        "held_out",
        "hold_out",
        "text_column",
        "delimiter",
        "rules",
        "min_characters",
        "max_characters",
    )
    sample_prompts: ClassVar[tuple[str, ...]] = ("A young", "In the year", "When")

    def __post_init__(self):
        check_rules(self.rules)
        if not 0 <= self.min_characters <= self.max_characters:
            raise ValueError(
                f"min_characters={self.min_characters} must be between 0 and "
                f"max_characters={self.max_characters}"
            )
        if self.question_characters < 0:
            raise ValueError(f"question_characters={self.question_characters} must not be negative")

    def documents(self) -> tuple[str, ...]:
        """Every document that the cleaning kept, of all splits, in the file's order."""
        return _cleaned(self, self.stamp("path"))[0]

    def report(self) -> Report:
        """How many documents each rule changed and dropped."""
        return _cleaned(self, self.stamp("path"))[1]

    def notes(self) -> str:
        return self.report().table()

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        for document in self.documents():
            example = Example(prompt="", target=document, key=document)
            if self.split_of(example) == split:
                yield example

    def held_forms(self, text: str) -> Iterable[str]:
        """The line as the documents of the file are cleaned; a line that a rule drops is none of them."""
        return clean([text], self.rules, self.min_characters, self.max_characters)[0]

    def questions(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The held-out documents whose last word can be asked, shuffled; see `tasks.corpus.last_word`."""
        for example in shuffled(self.examples(split, seed), seed):
            parts = last_word(example.target)
            if parts is not None:
                prompt = shortened(parts[0], self.question_characters)
                yield Example(prompt, parts[1], group="last word", key=example.key)

    def score(self, example: Example, completion: str) -> dict[str, float]:
        return {"exact_match": last_word_score(example.target, completion)}

    def summary(self, samples: list[tuple[Example, str]], training: Sequence[Example]) -> dict[str, float]:
        """Distinct n-grams and the longest copy from the training text."""
        return variety([completion for _, completion in samples], [e.target for e in training])

    def summary_limit(self, name: str) -> float:
        return variety_limit(name)


@functools.lru_cache(maxsize=4)
def _cleaned(task: Synopses, stamp: tuple[int, int]) -> tuple[tuple[str, ...], Report]:
    raw = read_documents(task.path, task.text_column, task.delimiter)
    kept, report = clean(raw, task.rules, task.min_characters, task.max_characters)
    if not kept:
        worst = max(report.dropped, key=lambda name: report.dropped[name])
        raise ValueError(
            f"{task.path}: cleaning keeps none of {report.read} documents, the rule {worst!r} drops "
            f"{report.dropped[worst]}; see --task.rules, --task.min-characters and --task.max-characters"
        )
    return tuple(kept), report


def synopses() -> Experiment:
    """A small GPT on short documents from your own table.

    Needs a table (CSV, JSON) or a plain text: --task.path.

    Takes 8 min on two CPU cores.

    Warm-up and decay are those of the source document, 10 steps and then linear. It fine-tuned GPT-2 by
    AdamW; this model starts from nothing, by Muon.
    """
    return Experiment(
        task=Synopses(question_characters=500),
        tokenizer="bpe:2048",
        model=dataclasses.replace(small(), dropout=0.1, init_std=None),
        optimizer=Muon(
            learning_rate=3e-3,
            schedule="linear",
            warmup_steps=10,
            final_fraction=0.0,
            weight_decay=0.1,
        ),
        training=TrainingConfig(
            steps=1500, batch_size=8, eval_every=500, sample_every=500, test_examples=300
        ),
    )


def synopses_gpt2() -> Experiment:
    """The source document's: GPT-2's weights fine-tuned on your table.

    Needs a table, --task.path, and GPT-2's directory of transformers, --model.init.

    AdamW, 10 warm-up steps and then linear decay, six epochs. The document leaves open how large a step and a
    batch were; these are ours. `--model.max-length 256` saves memory, `--training.tuning.weights lora` more.
    """
    base = synopses()
    return dataclasses.replace(
        base,
        model=ModelConfig(init="gpt2"),
        optimizer=AdamW(
            learning_rate=5e-5, schedule="linear", warmup_steps=10, final_fraction=0.0, weight_decay=0.0
        ),
        training=dataclasses.replace(base.training, epochs=6.0, eval_every=0, sample_every=0, chunk=10),
    )
