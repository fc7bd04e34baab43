"""Variants of a test of which some run on every change and the others with `pytest -m slow`."""

from collections.abc import Container, Iterable

import pytest


def often(names: Iterable[str], every_time: Container[str]) -> list:
    """The names as parameters, marked as slow unless they are among those of `every_time`."""
    return [name if name in every_time else pytest.param(name, marks=pytest.mark.slow) for name in names]
