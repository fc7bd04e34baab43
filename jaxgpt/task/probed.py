"""Texts with what a model must work out on the way."""

from typing import NamedTuple


class Probed(NamedTuple):
    """Texts of a task with labels, for `jaxgpt.lab.probes`.

    Attributes:
      texts: as the task writes them, question and answer.
      labels: by their names, such as `carry into the tens` and `the tens`; one a text.
      types: what each label could be memorized by, such as the digits of its column; one a text.
    """

    texts: list[str]
    labels: dict[str, list[int]]
    types: dict[str, list[tuple[int, ...]]]
