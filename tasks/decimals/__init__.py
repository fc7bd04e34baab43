"""Decimals multiplied and divided, as a person writes them or worked out digit by digit.

With the default settings the model sees what a person types and writes the answer as a person would read it:

    >>> task = Decimals()
    >>> task.prompt("6741.74 * -0.085784")
    '6741.74*-0.085784='
    >>> task.typed("6741.74 * -0.085784").target
    '-578.33342416'

With `format=worked` it sees both numbers as digits and an exponent, and works the result out (`working.py`):

    >>> task = Decimals(format="worked", digits=3)
    >>> task.prompt("1.5 * 0.25")
    '+150e+00*+250e-01='
    >>> task.typed("1.5 * 0.25").target
    '000000005270507130=+005730e-01'
    >>> task.answer("", "000000005270507130=+005730e-01")
    '0.375'

The exam that others gave (BitTokens, arXiv 2510.06824) is asked with `jaxgpt evaluate RUN --questions FILE`.
"""

from tasks.decimals.experiments import (
    decimals_division,
    decimals_multiplication,
    which_tokenization_decimals,
)
from tasks.decimals.task import Decimals

#: What `--list` groups the experiments under.
HEADING = "sums, differences, products"

__all__ = ["Decimals", "decimals_division", "decimals_multiplication", "which_tokenization_decimals"]
