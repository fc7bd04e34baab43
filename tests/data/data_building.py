"""Small things to build data tables from."""

from jaxgpt.data.corpus import Corpus
from jaxgpt.data.tokenizing import tokenize
from jaxgpt.task import Example
from jaxgpt.tokenizers import build

DIGITS = build("digits", lambda: ["0123456789+="])


def sums(count: int) -> list[Example]:
    """Different additions whose prompts and targets have different lengths."""
    return [Example(f"{7 * i}+{i}=", str(8 * i)) for i in range(count)]


def lines(count: int) -> str:
    """A text of different lines, some of them empty."""
    return "".join(
        f"{'' if n % 7 == 3 else f'Line {n} of {count}: {n * n} tides, naïve ones too.'}\n"
        for n in range(count)
    )


def corpus(folder, *, text: str | None = None, **options) -> Corpus:
    """Tokens of a small text, a document a line, in several shards; they lie in `folder / "tokens"`."""
    (folder / "text.txt").write_text(lines(300) if text is None else text, encoding="utf-8")
    given = {"documents": "lines", "held_out": 0.1, "piece_bytes": 4000, "say": lambda line: None} | options
    return tokenize([str(folder / "text.txt")], folder / "tokens", **given)
