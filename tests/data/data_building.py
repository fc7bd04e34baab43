"""Small things to build data tables from."""

from jaxgpt.task import Example
from jaxgpt.tokenizers import build

DIGITS = build("digits", lambda: ["0123456789+="])


def sums(count: int) -> list[Example]:
    """Different additions whose prompts and targets have different lengths."""
    return [Example(f"{7 * i}+{i}=", str(8 * i)) for i in range(count)]
