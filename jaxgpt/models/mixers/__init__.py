"""Mixers: one file each, found by its name."""

from jaxgpt.models.mixers.base import Mixer

__all__ = ["Mixer"]
