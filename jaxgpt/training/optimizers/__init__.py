"""Optimizers: one file each, found by its name."""

from jaxgpt.training.optimizers.base import Optimizer

__all__ = ["Optimizer"]
