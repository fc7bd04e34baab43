"""Small matrices: sum, product, transpose, trace and determinant, after Charton 2021 (arXiv 2112.01898).

A matrix is its rows and columns and then its entries, row by row. A person asks for a determinant,
`2x2 3 -1 4 0`, and reads `4`:

    >>> task = Matrices(operation="determinant")
    >>> task.prompt("2x2  3 -1 4 0")
    '2x2 3 -1 4 0 ='
    >>> task.answer("2x2 3 -1 4 0 =", "4")
    '4'

Two matrices stand on both sides of `+` or `*`: `1x2 3 -1 + 1x2 4 0 =` is answered `1x2 7 -1`. This is
ordinary text; whether `-1` is read as two characters, in base B or as a sign, a mantissa and an exponent (the
paper's P10 and P1000) is the tokenizer's affair. Results are grouped by the shapes.
"""

import dataclasses
import itertools
import math
import random
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Annotated, Literal

from jaxgpt.models.config import ModelConfig
from jaxgpt.task import Example, Task
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.training_config import TrainingConfig
from tasks.numbers import FEW, cannot_read, check_range, spelled
from tasks.significant import read_decimal, rounded, written

#: What `--list` groups the experiments under.
HEADING = "more on numbers"

Matrix = list[list[int | Fraction]]

#: The tolerance at which the paper counts an approximate matrix as right (its section 3).
TOLERANCE = Fraction(5, 100)


@dataclasses.dataclass(frozen=True)
class Matrices(Task):
    """Matrices with `min_size` to `max_size` rows and columns, uniformly, and uniform entries.

    Entries are integers, or reals of three significant digits, and so is the result. Traces and determinants
    are of square matrices. The operation is exact, on the entries as they are written, before it is rounded.
    """

    operation: Annotated[
        Literal["addition", "product", "transpose", "trace", "determinant"], "what is asked"
    ] = "addition"
    entries: Annotated[Literal["integers", "reals"], "integers, or three significant digits"] = "integers"
    max_entry: Annotated[int, "entries lie between this and its negative"] = 9
    min_size: Annotated[int, "fewest rows and columns"] = 2
    max_size: Annotated[int, "most rows and columns"] = 3

    def __post_init__(self):
        check_range("size", self.min_size, self.max_size, least=1)
        if self.max_entry < 1:
            raise ValueError(f"max_entry={self.max_entry} must be at least 1")

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        rng = random.Random(0)
        return tuple(self.example(rng).prompt.removesuffix(" =") for _ in range(2))

    def example(self, rng: random.Random) -> Example:
        rows, columns, other = (rng.randint(self.min_size, self.max_size) for _ in range(3))
        square = self.operation in ("trace", "determinant")
        operands = [self._drawn(rng, rows, rows if square else columns)]
        if self.operation == "addition":
            operands.append(self._drawn(rng, rows, columns))
        elif self.operation == "product":
            operands.append(self._drawn(rng, columns, other))
        return self._example(operands)

    def forms(self) -> Iterable[str] | None:
        if self.entries == "reals" or self.max_size > 3:
            return None
        entries = range(-self.max_entry, self.max_entry + 1)
        shapes = self._shapes(range(self.min_size, self.max_size + 1))
        cells = [sum(rows * columns for rows, columns in shape) for shape in shapes]
        if sum(len(entries) ** count for count in cells) > FEW:
            return None
        return (
            self._example(_filled(shape, values)).canonical
            for shape, count in zip(shapes, cells, strict=True)
            for values in itertools.product(entries, repeat=count)
        )

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """`exact_match`, and what the paper allows an approximate answer; 0 where the shape is wrong.

        `within_5_percent`: the absolute errors sum to at most 5 % of the sum of the absolute entries.
        `entries_within_5_percent`: share of the entries that are each within 5 %.
        """
        target, close, share = _read_result(example.target), False, 0.0
        try:
            found = _read_result(completion)
        except ValueError:
            found = None
        if found is not None and _shape(found) == _shape(target):
            pairs = [pair for rows in zip(found, target, strict=True) for pair in zip(*rows, strict=True)]
            close = sum(abs(a - b) for a, b in pairs) <= TOLERANCE * sum(abs(b) for _, b in pairs)
            share = sum(abs(a - b) <= TOLERANCE * abs(b) for a, b in pairs) / len(pairs)
        return {
            "exact_match": float(completion == example.target),
            "within_5_percent": float(close),
            "entries_within_5_percent": share,
        }

    def typed(self, text: str) -> Example:
        asked = spelled(text).strip(" =")
        parts = asked.split(f" {self._symbol} ") if self._symbol else [asked]
        try:
            operands = [_read_matrix(" ".join(part.split())) for part in parts]
            if self.entries == "integers":
                _check_whole(operands)
            return self._example(operands)
        except ValueError as error:
            raise ValueError(f"{cannot_read(text, self.sample_prompts[0])} ({error})") from error

    def _shapes(self, sizes: range) -> list[tuple[tuple[int, int], ...]]:
        """The shapes of the operands, every combination once."""
        if self.operation in ("trace", "determinant"):
            return [((size, size),) for size in sizes]
        if self.operation == "product":
            return [((a, b), (b, c)) for a, b, c in itertools.product(sizes, repeat=3)]
        count = 2 if self.operation == "addition" else 1
        return [(shape,) * count for shape in itertools.product(sizes, repeat=2)]

    @property
    def _symbol(self) -> str:
        return {"addition": "+", "product": "*"}.get(self.operation, "")

    def _drawn(self, rng: random.Random, rows: int, columns: int) -> Matrix:
        def entry() -> int | Fraction:
            if self.entries == "integers":
                return rng.randint(-self.max_entry, self.max_entry)
            return Fraction(f"{rng.uniform(-self.max_entry, self.max_entry):.3g}")

        return [[entry() for _ in range(columns)] for _ in range(rows)]

    def _example(self, operands: list[Matrix]) -> Example:
        result = _computed(self.operation, operands)
        if self.entries == "reals":
            result = [[rounded(entry) for entry in row] for row in result]
        scalar = self.operation in ("trace", "determinant")
        texts = list(map(_written_matrix, operands))
        return Example(
            prompt=f" {self._symbol} ".join(texts) + " =",
            target=written(result[0][0]) if scalar else _written_matrix(result),
            group=f" {self._symbol} ".join("{}x{}".format(*_shape(matrix)) for matrix in operands),
            # a + b and b + a; of products the order matters.
            key="+".join(sorted(texts)) if self.operation == "addition" else "",
        )


def _filled(shapes: tuple[tuple[int, int], ...], values: tuple[int, ...]) -> list[Matrix]:
    """Matrices of these shapes with these entries, row by row."""
    rest = iter(values)
    return [[list(itertools.islice(rest, columns)) for _ in range(rows)] for rows, columns in shapes]


def _computed(operation: str, operands: list[Matrix]) -> Matrix:
    """The exact result; of a trace or a determinant, a matrix of one entry.

    Raises:
      ValueError: if the shapes do not fit.
    """
    shapes = list(map(_shape, operands))
    (rows, columns), first, second = shapes[0], operands[0], operands[-1]
    fits = {
        "addition": len(operands) == 2 and shapes[0] == shapes[-1],
        "product": len(operands) == 2 and columns == shapes[-1][0],
        "transpose": True,
        "trace": rows == columns,
        "determinant": rows == columns,
    }[operation]
    if not fits:
        raise ValueError(f"no {operation} of {' and '.join(f'{r}x{c}' for r, c in shapes)}")
    if operation == "addition":
        return [[a + b for a, b in zip(*pair, strict=True)] for pair in zip(first, second, strict=True)]
    if operation == "product":
        turned = list(zip(*second, strict=True))
        return [[sum(a * b for a, b in zip(row, other, strict=True)) for other in turned] for row in first]
    if operation == "transpose":
        return [list(column) for column in zip(*first, strict=True)]
    if operation == "trace":
        return [[sum(first[i][i] for i in range(rows))]]
    return [[_determinant(first)]]


def _determinant(matrix: Matrix) -> Fraction:
    """By elimination that keeps integers (Bareiss 1968), on the entries times their common denominator."""
    scale = math.lcm(*(entry.denominator for row in matrix for entry in row))
    rows, sign, before = [[int(entry * scale) for entry in row] for row in matrix], 1, 1
    for place in range(len(rows) - 1):
        pivot = next((index for index in range(place, len(rows)) if rows[index][place]), None)
        if pivot is None:
            return Fraction(0)
        if pivot != place:
            rows[place], rows[pivot], sign = rows[pivot], rows[place], -sign
        above, head = rows[place], rows[place][place]
        for row in rows[place + 1 :]:
            pairs = list(zip(row, above, strict=True))
            row[:] = [(head * entry - row[place] * up) // before for entry, up in pairs]
        before = head
    return Fraction(sign * rows[-1][-1], scale ** len(rows))


def _shape(matrix: Matrix) -> tuple[int, int]:
    return len(matrix), len(matrix[0])


def _written_matrix(matrix: Matrix) -> str:
    entries = (written(entry) for row in matrix for entry in row)
    return " ".join(["{}x{}".format(*_shape(matrix)), *entries])


def _read_matrix(text: str) -> Matrix:
    """The inverse of `_written_matrix`; raises ValueError for anything else."""
    head, *entries = text.split(" ")
    match = re.fullmatch(r"([1-9][0-9]{0,2})x([1-9][0-9]{0,2})", head)
    if match is None:
        raise ValueError(f"{head!r} is no shape such as 2x3")
    rows, columns = map(int, match.groups())
    if len(entries) != rows * columns:
        raise ValueError(f"{head} has {rows * columns} entries, not {len(entries)}")
    numbers = list(map(read_decimal, entries))
    return [numbers[i : i + columns] for i in range(0, len(numbers), columns)]


def _check_whole(matrices: list[Matrix]) -> None:
    for entry in (entry for matrix in matrices for row in matrix for entry in row):
        if entry != int(entry):
            raise ValueError(f"{written(entry)} is no integer; task.entries=reals has such entries")


def _read_result(text: str) -> Matrix:
    """A matrix, or a lone number as a matrix of one entry."""
    return _read_matrix(text) if "x" in text else [[read_decimal(text)]]


def matrix_addition() -> Experiment:
    """Sums of two matrices of 2 to 3 rows and columns, integers of one digit."""
    return Experiment(
        task=Matrices(),
        tokenizer="digits",
        model=ModelConfig(num_layers=2, d_model=64, num_heads=4, max_length=112, init_std=None),
        optimizer=AdamW(learning_rate=3e-3, final_fraction=0.01),
        training=TrainingConfig(
            steps=1000, batch_size=64, train_examples=50_000, eval_every=500, test_examples=500
        ),
    )


def determinant() -> Experiment:
    """Determinants of matrices of 2 rows and columns, integers of one digit."""
    base = matrix_addition()
    return dataclasses.replace(base, task=Matrices(operation="determinant", max_size=2))
