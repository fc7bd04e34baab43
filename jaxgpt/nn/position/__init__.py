"""Position schemes: one file each, found by its name."""

from jaxgpt.nn.position.base import Carry, Params, Position, Table

__all__ = ["Carry", "Params", "Position", "Table"]
