"""What the tests of searches share."""

import jax
import pytest


@pytest.fixture(scope="module")
def little_optimized():
    """Programs that compile fast: each search compiles its own."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
