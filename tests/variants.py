"""Variants of a test of which some run on every change and the others with `pytest -m thorough`."""

from collections.abc import Container, Iterable

import pytest


def often(values: Iterable, every_time: Container) -> list:
    """The values as parameters, marked as thorough unless they are among those of `every_time`."""
    return [value if value in every_time else _thorough(value) for value in values]


def seldom(values: Iterable, thorough: Container) -> list:
    """The values as parameters, marked as thorough if they are among those of `thorough`."""
    return [_thorough(value) if value in thorough else value for value in values]


def _thorough(value):
    return pytest.param(value, marks=pytest.mark.thorough)
