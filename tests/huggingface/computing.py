"""How a model is computed beside what transformers computed."""

import contextlib

import jax
import jax.numpy as jnp
import pytest

from jaxgpt.models.token_features import Features
from jaxgpt.nn.attention import hashed


@contextlib.contextmanager
def exactly(given):
    """Products as exact as they can be; in float64 with the rotations of transformers, where it gave some."""
    drawn = given.get("rotations")
    with (
        jax.default_matmul_precision("highest"),
        jax.enable_x64(drawn is not None),
        pytest.MonkeyPatch.context() as patch,
    ):
        if drawn is not None:
            patch.setattr(hashed, "rotations", lambda shape, *rest: jnp.asarray(drawn).reshape(shape))
        yield


def dtype(given):
    """The type to compute in, and how far apart the results may lie."""
    return ("float64", 1e-6) if "rotations" in given else (None, 2e-5)


def ours(model, given):
    """The model's outputs by their names."""
    out = model(
        given["tokens"],
        source=given.get("source"),
        features=Features(global_tokens=given.get("global_tokens")),
    )
    return {name: getattr(out, name) for name in ("logits", "labels", "pooled", "hidden")}
