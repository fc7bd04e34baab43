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
    paragraphs = (" ".join(paragraph.split()) for paragraph in split_paragraphs(read_text(path)))
    return [tuple(part for part in _END.split(text) if part) for text in paragraphs]
