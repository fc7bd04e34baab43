"""Sentences with their translations, from lines `source<TAB>target`, and longer ones made of them."""

import dataclasses
import random
import re
from collections.abc import Iterable, Sequence

from jaxgpt.core.combining_marks import word
from jaxgpt.core.wording import in_file, quoted
from tasks.corpus.reading import read_lines

#: Behind the target may stand what is not read, such as who wrote it.
_COLUMNS = (2, 3)


@dataclasses.dataclass(frozen=True)
class Sentence:
    """A source and its translations; or several of them, one behind another.

    Attributes:
      parts: of each source its translations, in the order of the file.
    """

    sources: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]

    @property
    def source(self) -> str:
        return " ".join(self.sources)

    def references(self) -> tuple[str, ...]:
        """As many translations as the part with most of them has, those of the others in turn."""
        most = max(map(len, self.parts))
        return tuple(" ".join(part[i % len(part)] for part in self.parts) for i in range(most))

    def is_translation(self, text: str) -> bool:
        """Whether a text is a translation of each part, one behind another."""
        rests = {text}
        for part in self.parts[:-1]:
            heads = [f"{translation} " for translation in part]
            rests = {rest[len(head) :] for rest in rests for head in heads if rest.startswith(head)}
        return bool(rests & {*self.parts[-1]})


def read_translations(path: str, *, lowered: bool) -> list[Sentence]:
    """Each source of a file once, in its order, with all of its translations.

    White space is one space. A third column is not read, and lines without a character are passed over.

    Raises:
      ValueError: if the file cannot be read, or a line has one column, more than three, or an empty source or
        target; one line, with the number of the line.
    """
    found: dict[str, list[str]] = {}
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip() and "\t" not in line:
            continue
        columns = line.split("\t")
        if len(columns) not in _COLUMNS:
            have = f"{len(columns)} column{'s' * (len(columns) > 1)}"
            raise ValueError(in_file(path, f"line {number} has {have}: {quoted(line)}; {_FORM}"))
        source, target = (plain(column, lowered=lowered) for column in columns[:2])
        if not source or not target:
            side = "target" if source else "source"
            raise ValueError(in_file(path, f"line {number} has an empty {side}: {quoted(line)}; {_FORM}"))
        translations = found.setdefault(source, [])
        if target not in translations:
            translations.append(target)
    return [Sentence((source,), (tuple(targets),)) for source, targets in found.items()]


_FORM = "a line is a source, a tab and a target, and may have a third column"


def plain(text: str, *, lowered: bool) -> str:
    """Text with one space for any white space, without capitals if they are lowered."""
    text = " ".join(text.split())
    return text.lower() if lowered else text


def words(text: str) -> list[str]:
    """The runs of letters and digits of a text, with their marks: three in `I'm here.`"""
    return re.findall(word(), text)


def joined(sentences: Sequence[Sentence], most: int) -> list[Sentence]:
    """Each sentence alone, then each with one other behind it, up to `most` in all.

    Kondo et al. 2021 (arXiv 2104.08478) train on such pairs, which teach a model to translate long sentences.
    The others are drawn, always the same ones, so that each stands in each place once.
    """
    found = [*sentences]
    for count in range(2, most + 1):
        columns = [list(sentences)]
        for place in range(1, count):
            columns.append(random.Random(f"{count} {place}").sample(sentences, len(sentences)))
        for several in zip(*columns, strict=True):
            sources = tuple(one.sources[0] for one in several)
            found.append(Sentence(sources, tuple(one.parts[0] for one in several)))
    return found


def thirds(lengths: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """The least and the largest length of the short, the middle and the long third; fewer where few differ.

    A length falls in one of them, so they are as equal as lengths allow.
    """
    ordered = sorted(lengths)
    different = sorted(set(ordered))
    ends: list[int] = []
    for part in (1, 2):
        rest = [d for d in different[:-1] if not ends or d > ends[-1]]
        if rest:
            share = {d: sum(length <= d for length in ordered) / len(ordered) for d in rest}
            ends.append(min(rest, key=lambda d: abs(share[d] - part / 3)))
    ends.append(different[-1])
    begins = [different[0], *(next(d for d in different if d > end) for end in ends[:-1])]
    return tuple(zip(begins, ends, strict=True))
