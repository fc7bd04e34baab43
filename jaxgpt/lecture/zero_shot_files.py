"""Files of two zero-shot tests, made from the words of a text: last words, and words left out."""

import functools
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxgpt.core.combining_marks import marks
from jaxgpt.data.splits import from_all_over
from jaxgpt.evaluation.zero_shot.cbt import BLANK, CANDIDATES, LINES

#: Words of a passage, and the fewest of a sentence with a word left out.
_PASSAGE, _SENTENCE = 40, 4
#: Lines from the beginning of a story to that of the next.
_STEP = 3


def write_passages(text: str, path: Path, count: int) -> int:
    """Write passages of 40 words whose last word, of four letters or more, occurs earlier in them.

    In LAMBADA, too, the passage tells its last word, which mostly occurs earlier in it (Paperno et al. 2016,
    arXiv 1606.06031). Passages do not overlap.

    Args:
      path: is written, a JSON object a line.
      count: passages at most, from all over the text.

    Returns:
      How many there are.

    Raises:
      ValueError: if the text has none.
    """
    words, found, at = text.split(), [], _PASSAGE
    while at <= len(words):
        passage = words[at - _PASSAGE : at]
        if _word().fullmatch(passage[-1]) and passage[-1] in passage[:-1]:
            found.append(" ".join(passage))
            at += _PASSAGE
        else:
            at += 1
    chosen = _chosen(found, count, "passage whose last word occurs earlier in it")
    path.write_text("".join(json.dumps({"text": one}) + "\n" for one in chosen), encoding="utf-8")
    return len(chosen)


def write_cloze(text: str, path: Path, count: int, seed: int = 0) -> int:
    """Write questions of the form of the Children's Book Test: 20 lines, and a 21st with a word left out.

    The word and the nine others to choose from have four letters or more, are alike in their capitals, and
    occur in the 20 lines. A story begins every third line, so that stories overlap.

    Args:
      path: is written.
      count: questions at most, from all over the text.

    Returns:
      How many there are.

    Raises:
      ValueError: if the text has none.
    """
    rng = random.Random(seed)
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    found = []
    for first in range(0, len(lines) - LINES, _STEP):
        story, query = lines[first : first + LINES], lines[first + LINES]
        known = dict.fromkeys(_word().findall(" ".join(story)))
        asked = [match for match in _word().finditer(query) if match[0] in known]
        if not asked or len(query.split()) < _SENTENCE:
            continue
        blank = rng.choice(asked)
        others = [word for word in known if word != blank[0] and _capitals(word) == _capitals(blank[0])]
        if len(others) < CANDIDATES - 1:
            continue
        candidates = [blank[0], *rng.sample(others, CANDIDATES - 1)]
        rng.shuffle(candidates)
        asks = f"{query[: blank.start()]}{BLANK}{query[blank.end() :]}\t{blank[0]}\t\t{'|'.join(candidates)}"
        found.append("".join(f"{i} {line}\n" for i, line in enumerate([*story, asks], 1)))
    chosen = _chosen(found, count, f"{LINES} lines with ten words, one of them in the next line")
    path.write_text("\n".join(chosen), encoding="utf-8")
    return len(chosen)


@functools.cache
def _word() -> re.Pattern:
    """A word of four letters or more that is no part of another, such as the first half of `love's`."""
    beside = rf"[\w'{marks()}-]"
    return re.compile(rf"(?<!{beside})(?:[^\W\d_][{marks()}]*){{4,}}(?!{beside})")


def _capitals(word: str) -> tuple[bool, bool]:
    return word.isupper(), word.istitle()


def _chosen(found: Sequence[str], count: int, name: str) -> list[str]:
    """So many of them at most, from all over."""
    if not found:
        raise ValueError(f"the held-out part of the text has no {name}; give a longer text")
    return [found[place] for place in from_all_over(np.arange(len(found)), count)]
