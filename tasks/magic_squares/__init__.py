"""Magic squares of order three whose nine entries are different primes.

A person types a centre and reads a square; the model sees `59=` and writes the two differences that make
the square, its rows, and the sum of every line:

    >>> task = MagicSquares(limit=200)
    >>> task.prompt("59")
    '59='
    >>> print(task.answer("59=", "12 42:47 29 101/113 59 5/17 89 71=177"))
    47 29 101
    113 59 5
    17 89 71
    sum 177

With `format="matrix", rule="document"` the task is the training text of the source document, which opens
each square with `Matrix N` and writes out its eight sums. With `format="checked"` each entry is followed by
whether it is prime. Any valid square of the centre asked for is right; `asked="sum"` asks for a line's sum,
and `asked="nothing"` lets the model write squares from an empty prompt.
"""

from tasks.magic_squares.experiments import (
    magic_squares,
    magic_squares_document,
    magic_squares_five,
)
from tasks.magic_squares.task import MagicSquares

#: What `--list` groups the experiments under.
HEADING = "magic squares of primes"

__all__ = [
    "MagicSquares",
    "magic_squares",
    "magic_squares_document",
    "magic_squares_five",
]
