"""Sums of one length with what a model must work out on the way: carries, and the digits of the result.

    texts, labels, types = probed(run.task, digits=5)
    jaxgpt.lab.probes(run, texts, labels, types=types).plot()

says at which layer, and above which token, a carry can be read.
"""

import dataclasses
import itertools
from collections.abc import Sequence

from jaxgpt.task import Split
from jaxgpt.task.probed import Probed
from tasks.arithmetic.choices import FORMATS
from tasks.arithmetic.notation import place_name
from tasks.arithmetic.task import Arithmetic


def probed(
    task: Arithmetic, digits: int, count: int = 2000, *, split: Split = "test", seed: int = 0
) -> Probed:
    """Different sums of numbers of so many digits, from a split of the task.

    A place of the answer means the same in every text where the ones stand first: in the formats `reversed`,
    `padded`, `ones_first` and `indexed`.

    Args:
      count: at most; of small numbers there are fewer.

    Raises:
      ValueError: if the task does not ask for sums, or the split has none of them.
    """
    if task.operation != "addition" or not FORMATS[task.format].symbols:
        raise ValueError(
            f"task.operation={task.operation} and task.format={task.format}: carries are those of a sum"
        )
    asked = dataclasses.replace(
        task,
        law="digits",
        min_digits=digits,
        max_digits=digits,
        extra_digits=(),
        validation_digits=(),
        min_difference=0,
    )
    found: dict[str, tuple[int, ...]] = {}
    for example in itertools.islice(asked.questions(split, seed), 2 * count):
        found.setdefault(example.prompt + example.target, tuple(map(int, example.key.split("+"))))
        if len(found) == count:
            break
    labels: dict[str, list[int]] = {}
    types: dict[str, list[tuple[int, ...]]] = {}
    for operands in found.values():
        columns = _columns(operands, digits)
        carry = 0
        for place, column in enumerate(columns):
            total = sum(column) + carry
            carry = total // 10
            for name, label in (
                (f"the {place_name(place)}", total % 10),
                (f"carry into the {place_name(place + 1)}", carry),
            ):
                labels.setdefault(name, []).append(label)
                types.setdefault(name, []).append(column)
    return Probed(list(found), labels, types)


def _columns(operands: Sequence[int], digits: int) -> list[tuple[int, ...]]:
    """The digits of each place, the ones first; sorted, since their order does not matter."""
    texts = [str(operand).zfill(digits)[::-1] for operand in operands]
    return [tuple(sorted(map(int, column))) for column in zip(*texts, strict=True)]
