"""Arithmetic between natural numbers, written in several ways.

With the default settings a person asks `9+71421` and reads `71430`; the model sees the prompt `9+71421=`
and writes `03417`, the answer with its least significant digit first:

    >>> task = Arithmetic()
    >>> task.prompt(" 9 + 71421 ")
    '9+71421='
    >>> task.answer("9+71421=", "03417")
    '71430'

The formats are `plain` (`71430`), `reversed` (`03417`), `padded` (`00009+71421=` -> `034170`), `ones_first`
(`9+12417=` -> `03417`), `indexed` (`42+39` as `a2b4+a9b3=` -> `a1b8`), `steps` (the step-by-step addition of
`steps.py`), `scratchpad` and `scratchpad_simple` (`scratchpads.py`), `partial` (`12*34=` -> `84+063=804`),
and `decomposition`, `decomposition_spaced` (`65` or `6 5`, answered `ones->5`, `tens->6` on lines of their
own). Results are grouped by the lengths of both operands, `01+05 digits`; of three and more by the longest.

`laws.py` has the laws that operands are drawn by. Pairs whose lengths lie apart are asked alone with
`jaxgpt evaluate RUN --task.min-difference 3 --n 10000`; training is the same with and without it.
"""

from tasks.arithmetic.experiments import (
    addition,
    addition_plain,
    addition_seq2seq,
    addition_steps,
    addition_tokenizations,
    decomposition,
    decomposition_long,
    decomposition_spaced,
    multiplication,
    subtraction,
    which_tokenization,
    which_tokenization_multiplication,
    which_tokenization_subtraction,
)
from tasks.arithmetic.lengths import (
    addition_100,
    addition_200,
    addition_1000,
    addition_length,
    which_positions,
)
from tasks.arithmetic.task import Arithmetic

#: What `--list` groups the experiments under.
HEADING = "sums, differences, products"

__all__ = [
    "Arithmetic",
    "addition",
    "addition_100",
    "addition_200",
    "addition_1000",
    "addition_length",
    "addition_plain",
    "addition_seq2seq",
    "addition_steps",
    "addition_tokenizations",
    "decomposition",
    "decomposition_long",
    "decomposition_spaced",
    "multiplication",
    "subtraction",
    "which_positions",
    "which_tokenization",
    "which_tokenization_multiplication",
    "which_tokenization_subtraction",
]
