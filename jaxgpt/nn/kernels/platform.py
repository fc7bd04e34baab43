"""What computes, as far as the way to compute depends on it."""

import contextlib
import contextvars
from collections.abc import Iterator

import jax

_aim: contextvars.ContextVar[str | None] = contextvars.ContextVar("aim", default=None)


def on_gpu() -> bool:
    """Whether a GPU computes what is said to run nowhere else."""
    return _platform() in ("gpu", "cuda", "rocm")


def on_cpu() -> bool:
    """Whether a CPU computes what is said to run nowhere else."""
    return _platform() == "cpu"


@contextlib.contextmanager
def aimed_at(platform: str) -> Iterator[None]:
    """Within it programs are made for another platform than the one here, to be compiled alone.

    JAX does not know of it: what was traced before keeps its platform.
    """
    token = _aim.set(platform)
    try:
        yield
    finally:
        _aim.reset(token)


def _platform() -> str:
    device = jax.config.jax_default_device
    return _aim.get() or getattr(device, "platform", device) or jax.default_backend()
