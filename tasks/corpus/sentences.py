"""The sentences of a text, paragraph by paragraph."""

import re

from jaxgpt.core.lines import split_paragraphs
from tasks.corpus.reading import read_text

_END = re.compile(r"(?<=[.!?]) ")


def read_sentences(path: str) -> list[tuple[str, ...]]:
    """The sentences of each paragraph of a file, in order; white space is one space.

    A sentence ends at a full stop, an exclamation mark or a question mark before a space.

    Raises:
      ValueError: as `tasks.corpus.read_text`.
    """
    return [split_sentences(paragraph) for paragraph in split_paragraphs(read_text(path))]


def split_sentences(paragraph: str) -> tuple[str, ...]:
    """The sentences of a paragraph, as `read_sentences` cuts it."""
    return tuple(part for part in _END.split(" ".join(paragraph.split())) if part)
