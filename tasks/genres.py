"""Genres: which of a few genres a text has, on a table with a column of texts and one of genres.

A table `films.csv`

    title,genres,synopsis
    Harbour,"Drama, Mystery","A lighthouse keeper finds a letter and sails to where it came from."

gives `A lighthouse keeper finds a letter and sails to where it came from.` with the label `Drama`, if Drama
is one of the genres that are asked for and Mystery is not.

    python train.py genres --task.path films.csv
"""

import dataclasses
import functools
import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, ClassVar, NamedTuple

from jaxgpt.core.wording import in_file
from jaxgpt.models.config import ModelConfig
from jaxgpt.objectives.labels import Labels
from jaxgpt.task import SPLITS, Example, Split, Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.corpus import place_in, read_labelled

#: What `--list` groups the experiments under.
HEADING = "files of your own"


#: What stands in a cell without a genre, in small letters.
_NO_GENRE = frozenset(("", "not_exist", "unknown", "none", "nan", "n/a"))


class Row(NamedTuple):
    """A row of the table: where it stands, its text, and the genres that it has."""

    line: int
    text: str
    genres: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Genres(Task):
    """Texts with one of several genres, as many of each.

    The rule: a text's label is the only one of the asked genres that its row lists, in whatever place; a row
    with none of them, or with several, is left out, and so is a text that was there before. The hash of the
    whole text decides its split: texts that agree in what is read of them, the first `characters`, are one
    question, which may be of training and of test. Of every genre a split has as many texts as of its rarest,
    the first in the file.
    A cell may list genres with commas, semicolons or bars between them, in brackets and quotes or without;
    `NOT_EXIST`, `Unknown`, `None`, `nan` and `N/A` are no genres.
    """

    path: Annotated[str, "file with a table, .csv or .tsv: a column of texts and one of genres"] = ""
    text_column: Annotated[
        str | None, "column with the text, or its number without a header; none: the obvious one"
    ] = None
    genre_column: Annotated[str, "column with the genres, or its number without a header"] = "genres"
    delimiter: Annotated[str | None, "comma, semicolon, tab, pipe or a character; none: found"] = None
    most_frequent: Annotated[int, "genres that are asked for, the most frequent of the table"] = 2
    chosen: Annotated[tuple[str, ...], "genres that are asked for, in place of the most frequent"] = ()
    characters: Annotated[int, "of a text that are read, up to the end of a word; 0: all"] = 200

    endless: ClassVar[bool] = False
    file_fields = ("path", "hold_out")
    split_fields: ClassVar[tuple[str, ...]] = ("held_out", "hold_out", "text_column", "delimiter")

    def __post_init__(self):
        count = len(set(self.chosen)) if self.chosen else self.most_frequent
        if count < 2:
            name = "chosen" if self.chosen else "most_frequent"
            raise ValueError(f"{name}={getattr(self, name)}: there must be at least 2 genres to tell apart")
        if self.characters < 0:
            raise ValueError(f"characters={self.characters} must be at least 1, or 0")

    @property
    def asked(self) -> tuple[str, ...]:
        """The genres that are told apart, the most frequent first.

        Raises:
          ValueError: if the table has fewer, or none of a chosen one.
        """
        counts = Counter(genre for row in self._rows() for genre in row.genres)
        found = self.chosen or tuple(genre for genre, _ in counts.most_common(self.most_frequent))
        known = ", ".join(genre for genre, _ in counts.most_common(8))
        for genre in found:
            if genre not in counts:
                raise ValueError(in_file(self.path, f"has no genre {genre!r}; the most frequent: {known}"))
        if len(found) < 2:
            raise ValueError(in_file(self.path, f"has {len(found)} genres, and 2 are needed: {known}"))
        return found

    def notes(self) -> str:
        """The genres, how many texts have one of them, and how many of these are cut to the same question."""
        if not self.path:
            return ""
        rows, asked = self._rows(), self.asked
        one = [row.text for row in rows if len(set(asked).intersection(row.genres)) == 1]
        found = f"genres      {', '.join(asked)}; {len(one):,} of {len(rows):,} texts have one of them alone"
        counts = Counter(map(self._cut, one)).values()
        if not (alike := sum(count for count in counts if count > 1)):
            return found
        return (
            f"{found}\nalike       {alike:,} of these begin as another does, as far as they are read; such a "
            f"question may be of training and of test; raise task.characters={self.characters}"
        )

    def place_of(self, example: Example) -> str:
        return place_in([self.path], example.canonical)

    def examples(self, split: Split, seed: int = 0) -> Iterator[Example]:
        """The texts of a split, as many of each genre, in the order of the file.

        Raises:
          ValueError: if a genre has no text in the split, with the line of one in another.
        """
        asked = set(self.asked)
        found: dict[str, dict[Split, list[Row]]] = {genre: {s: [] for s in SPLITS} for genre in self.asked}
        for row in self._rows():
            own = asked.intersection(row.genres)
            if len(own) == 1:
                found[own.pop()][self.split_of(Example(row.text, ""))].append(row)
        for genre, splits in found.items():
            if not splits[split]:
                others = [f"line {rows[0].line} is for {s}" for s, rows in splits.items() if rows]
                where = f" ({others[0]})" if others else ""
                what = f"has no text with the genre {genre!r} alone for {split}{where}"
                raise ValueError(in_file(self.path, f"{what}; change task.held_out or task.chosen"))
        count = min(len(splits[split]) for splits in found.values())
        kept = [(row, genre) for genre, splits in found.items() for row in splits[split][:count]]
        for row, genre in sorted(kept):
            yield Example(self._cut(row.text), genre, group=genre, key=row.text)

    def typed(self, text: str) -> Example:
        text = " ".join(text.split())
        return Example(self._cut(text), "", key=text)

    def _cut(self, text: str) -> str:
        if not self.characters or len(text) <= self.characters:
            return text
        return text[: self.characters + 1].rpartition(" ")[0] or text[: self.characters]

    def _rows(self) -> tuple[Row, ...]:
        columns = self.text_column, self.genre_column, self.delimiter
        return _table(self.path, *columns, self.stamp("path"))


def genres_of(cell: str) -> tuple[str, ...]:
    """The genres that a cell lists, each once: `['Action', "Sci-Fi"]`, `Action, Sci-Fi`, `Action|Sci-Fi`."""
    parts = (part.strip().strip("'\"").strip() for part in re.split(r"[,;|]", cell.strip().strip("[]()")))
    return tuple(dict.fromkeys(part for part in parts if part.lower() not in _NO_GENRE))


@functools.lru_cache(maxsize=2)
def _table(
    path: str, text_column: str | None, genre_column: str, delimiter: str | None, stamp: tuple[int, int]
) -> tuple[Row, ...]:
    """The rows with a text and a genre, each text once."""
    found: dict[str, Row] = {}
    for line, text, cell in read_labelled(path, text_column, genre_column, delimiter):
        text, own = " ".join(text.split()), genres_of(cell)
        if text and own:
            found.setdefault(text, Row(line, text, own))
    return tuple(found.values())


def genres() -> Experiment:
    """A small decoder that tells the genre of a text, on a table of your own.

    Needs a table with a column of texts and one of genres: --task.path.

    Takes 3 min on two CPU cores. It starts from nothing; `--model.init RUN` starts from a language model.
    """
    return Experiment(
        task=Genres(),
        tokenizer="bpe:512",
        model=ModelConfig(num_layers=2, d_model=64, num_heads=4, max_length=256, labels_from="last"),
        objective=Labels(),
        optimizer=AdamW(learning_rate=1e-3, schedule="cosine", warmup_steps=50),
        training=TrainingConfig(steps=600, batch_size=32, test_examples=500),
    )
