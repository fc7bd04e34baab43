"""Attention at a cost linear in length, one scheme a file."""

from jaxgpt.nn.sparse.base import Sparse

__all__ = ["Sparse"]
