"""Arithmetic between natural numbers, written in several ways.

With the default settings a person asks `9+71421` and reads `71430`; the model sees the prompt `9+71421=`
and writes `03417`, the answer with its least significant digit first:

    >>> task = Arithmetic()
    >>> task.prompt(" 9 + 71421 ")
    '9+71421='
    >>> task.answer("9+71421=", "03417")
    '71430'

The formats are `plain` (`71430`), `reversed` (`03417`), `steps` (the step-by-step addition of `steps.py`)
and `decomposition`, `decomposition_spaced` (`65` or `6 5`, answered `ones->5`, `tens->6` on lines of their
own). Results are grouped by the lengths of both operands, `01+05 digits`.
"""

from tasks.arithmetic.experiments import (
    addition,
    addition_plain,
    addition_seq2seq,
    addition_steps,
    decomposition,
    decomposition_spaced,
    multiplication,
    subtraction,
)
from tasks.arithmetic.task import Arithmetic

__all__ = [
    "Arithmetic",
    "addition",
    "addition_plain",
    "addition_seq2seq",
    "addition_steps",
    "decomposition",
    "decomposition_spaced",
    "multiplication",
    "subtraction",
]
