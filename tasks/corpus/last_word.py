"""Asking for the last word of a text (LAMBADA: Paperno et al. 2016, arXiv 1606.06031).

The last word of `... she opened the door, at last!` is `last`: the letters, digits and underscores behind
the last white space, with their marks, joined by hyphens or apostrophes, without the punctuation behind them.
The model is given everything before that white space and has to write the white space and the whole word;
what it writes after the word does not count. A text that ends in anything else (`(end`, `and/or.`) or has one
word only cannot be asked.
"""

import functools
import re
from collections.abc import Iterator

from jaxgpt.core.combining_marks import marks, word


@functools.cache
def _end() -> re.Pattern:
    """The last word of a text, with the white space before it and the punctuation behind it."""
    whole, mark = rf"{word()}(?:['’-]{word()})*", marks()
    return re.compile(rf"(\s+)({whole})(?:[^\w\s{mark}][{mark}]*)*\s*\Z")


@functools.cache
def _going_on() -> re.Pattern:
    """What stands behind a word that has not ended."""
    return re.compile(rf"[\w{marks()}]|['’-]\w")


def last_word(text: str) -> tuple[str, str] | None:
    """The question and the target, whose sum is `text` without its last punctuation; or None."""
    # Only the last two words matter, and a search through a megabyte is slow.
    start = max(0, len(text) - 400)
    found = _end().search(text, start)
    if found is None or not text[: found.start()].strip():
        return None
    return text[: found.start()], found[1] + found[2]


def last_words(text: str, characters: int) -> Iterator[tuple[str, str, str]]:
    """(question, target, what was looked at for them) of every paragraph that can be asked.

    A question shows at most `characters` of what stands before in the text; 0: all of it.
    """
    start = 0
    while start < len(text):
        end = text.find("\n\n", start)
        end = len(text) if end < 0 else end
        begin = max(0, end - characters - 1000) if characters else 0
        parts = last_word(text[begin:end]) if text[start:end].strip() else None
        if parts is not None:
            yield shortened(parts[0], characters), parts[1], text[begin:end]
        start = end + 2


def last_word_score(target: str, completion: str) -> float:
    """1 if the completion starts with the target and the word ends there, else 0."""
    if not completion.startswith(target):
        return 0.0
    return float(_going_on().match(completion, len(target)) is None)


def shortened(prompt: str, characters: int) -> str:
    """At most the last `characters` characters, cut where a word starts; 0: all of it."""
    if not characters or len(prompt) <= characters:
        return prompt
    tail = prompt[-characters:]
    starts_word = prompt[-characters - 1].isspace()
    cut = None if starts_word else re.search(r"\s", tail)
    return tail[cut.end() :] if cut else tail
