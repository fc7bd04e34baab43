"""How the tensors of a file become parameters, and back: one `Entry` a tensor."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

Form = Literal[
    "linear",
    "linear_by_head",
    "conv",
    "vector",
    "vector_by_head",
    "row",
    "table",
    "grid_rows",
    "grid_columns",
]
Shape = tuple[int, ...]
_BY_HEAD = ("linear_by_head", "vector_by_head")
_GRID = {"grid_rows": lambda n, width: (n, 1, width), "grid_columns": lambda n, width: (1, n, width)}


@dataclasses.dataclass(frozen=True)
class Entry:
    """One tensor of a file and the parameters that it holds.

    Attributes:
      key: its name in the file; with a leading dot that of a part of the base model, which in files of models
        with a head stands behind a prefix such as `transformer.`.
      paths: of the parameters, such as `decoder.blocks.0.attention.query.kernel`. Several of one shape share
        the outputs of a matrix in equal parts.
      form: `linear`, [outputs, inputs] as PyTorch's Linear has it; `conv`, [inputs, outputs]; `vector`, a
        bias or a norm's scale, all dimensions in one; `row`, the same as [1, n]; `table`, as here;
        `grid_rows` and `grid_columns`, tables as [n, 1, width] and [1, n, width].
        `linear_by_head` and `vector_by_head` have the outputs head by head, each head's of all paths in turn.
      inputs: dimensions of the parameter that are inputs; the others are outputs.
      skip: rows of a table before those the model uses. They are written as zeros.
      sizes: of the first dimension of outputs in each path of a matrix, such as numbers of heads; empty: they
        have one shape.
    """

    key: str
    paths: tuple[str, ...]
    form: Form = "linear"
    inputs: int = 1
    skip: int = 0
    sizes: tuple[int, ...] = ()

    def shape(self, shape: Shape) -> Shape:
        """Of the tensor, for parameters of this shape, or with `sizes` the first of this shape."""
        if self.form == "table":
            return (shape[0] + self.skip, *shape[1:])
        if self.form in _GRID:
            return _GRID[self.form](*shape)
        if self.form in ("vector", "vector_by_head", "row"):
            return (*[1] * (self.form == "row"), len(self.paths) * math.prod(shape))
        rows = self._sides(shape)[0]
        columns = sum(self._sides(part)[1] for part in self._shapes(shape))
        return (rows, columns) if self.form == "conv" else (columns, rows)

    def read(self, tensor: np.ndarray, shape: Shape) -> list[np.ndarray]:
        """The parameters in a tensor, each of this shape, or with `sizes` the first of this shape."""
        if self.form in _GRID:
            return [tensor.reshape(shape)]
        if self.form == "table":
            return [tensor.reshape(self.shape(shape))[self.skip :]]
        tensor = tensor.reshape(self.shape(shape))
        if self.form in _BY_HEAD:
            before = () if self.form == "vector_by_head" else shape[:1]
            heads = tensor.T.reshape(*before, shape[-2], len(self.paths), shape[-1])
            return [heads[..., index, :] for index in range(len(self.paths))]
        matrix = tensor.T if self.form == "linear" else tensor
        shapes = self._shapes(shape)
        rows = matrix.size // matrix.shape[-1]
        ends = np.cumsum([math.prod(part) // rows for part in shapes])
        parts = np.split(matrix, ends[:-1], axis=-1)
        return [part.reshape(own) for part, own in zip(parts, shapes, strict=True)]

    def write(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """The tensor with these parameters."""
        if self.form in _GRID:
            return parts[0].reshape(self.shape(parts[0].shape))
        if self.form == "table":
            blank = np.zeros((self.skip, *parts[0].shape[1:]), parts[0].dtype)
            return np.concatenate([blank, parts[0]])
        if self.form in _BY_HEAD:
            heads = np.stack(parts, axis=-2)  # [..., heads, paths, width]
            rows = 1 if self.form == "vector_by_head" else heads.shape[0]
            return np.ascontiguousarray(heads.reshape(rows, -1).T.reshape(self.shape(parts[0].shape)))
        if self.form in ("vector", "row"):
            flat = np.concatenate([part.reshape(-1) for part in parts])
            return flat[None] if self.form == "row" else flat
        matrix = np.concatenate([part.reshape(self._sides(part.shape)) for part in parts], axis=1)
        return np.ascontiguousarray(matrix.T if self.form == "linear" else matrix)

    def _shapes(self, shape: Shape) -> list[Shape]:
        """Of each parameter, from that of the first."""
        before, after = shape[: self.inputs], shape[self.inputs + 1 :]
        return [(*before, size, *after) for size in self.sizes] or [shape] * len(self.paths)

    def _sides(self, shape: Shape) -> tuple[int, int]:
        return math.prod(shape[: self.inputs]), math.prod(shape[self.inputs :])


def table(key: str, path: str, *, skip: int = 0) -> Iterator[Entry]:
    """A table of vectors, one a row."""
    yield Entry(key, (path,), "table", skip=skip)


def vector(key: str, path: str) -> Iterator[Entry]:
    """A bias that stands alone, or the scale of a norm."""
    yield Entry(key, (path,), "vector")


def linear(
    key: str, *paths: str, bias: bool = True, form: Form = "linear", inputs: int = 1
) -> Iterator[Entry]:
    """The kernel of one map, or of several side by side, and the bias."""
    yield Entry(f"{key}.weight", tuple(f"{path}.kernel" for path in paths), form, inputs)
    if bias:
        yield Entry(f"{key}.bias", tuple(f"{path}.bias" for path in paths), "vector")


def norm(key: str, path: str, *, bias: bool = True) -> Iterator[Entry]:
    """A norm's scale and bias."""
    yield from vector(f"{key}.weight", f"{path}.scale")
    if bias:
        yield from vector(f"{key}.bias", f"{path}.bias")


def attention(keys: Sequence[str], path: str, *, bias: bool = True, out_bias: bool = True) -> Iterator[Entry]:
    """Queries, keys, values and the output, each a map of its own; `keys` in this order."""
    for key, name in zip(keys[:3], ("query", "key", "value"), strict=True):
        yield from linear(key, f"{path}.{name}", bias=bias)
    yield from linear(keys[3], f"{path}.out", bias=out_bias, inputs=2)
