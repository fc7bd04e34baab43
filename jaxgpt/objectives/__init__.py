"""Objectives: one file each, found by its name."""

from jaxgpt.objectives.base import Objective

__all__ = ["Objective"]
