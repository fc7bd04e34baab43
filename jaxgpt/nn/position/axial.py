"""Axial positions: a row and a column of a grid (Kitaev et al. 2020; after Ho et al. 2019, 1912.12180)."""

import dataclasses
from typing import Annotated, ClassVar

import jax.numpy as jnp

from jaxgpt.nn.position.base import Position, Table


@dataclasses.dataclass(frozen=True)
class Axial(Position):
    """Position p stands in row p // columns and column p % columns; their vectors stand side by side.

    Rows and columns need far fewer vectors than rows * columns positions would.
    """

    rows: Annotated[int, "vectors of rows; rows * columns positions there are"] = 16
    columns: Annotated[int, "vectors of columns"] = 32
    row_features: Annotated[int | None, "width of a row's vector; none: half of the model's"] = None

    size_name: ClassVar[str] = "rows * columns"

    def __post_init__(self):
        for name in ("rows", "columns"):
            if getattr(self, name) < 1:
                raise ValueError(f"position.{name}={getattr(self, name)} must be at least 1")
        if self.row_features is not None and self.row_features < 1:
            raise ValueError(f"position.row_features={self.row_features} must be at least 1, or none")

    @property
    def size(self):
        return self.rows * self.columns

    def tables(self, *, d_model, num_heads, max_length):
        width = self.row_features or d_model // 2
        if width >= d_model:
            raise ValueError(f"position.row_features={width} must be below the model's width {d_model}")
        return {
            "rows": Table((self.rows, width), (None, None)),
            "columns": Table((self.columns, d_model - width), (None, None)),
        }

    def embed(self, params, x, positions):
        row, column = positions // self.columns, positions % self.columns
        vectors = jnp.concatenate([params["rows"][row], params["columns"][column]], axis=-1)
        return x + vectors.astype(x.dtype)
