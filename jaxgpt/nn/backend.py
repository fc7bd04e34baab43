"""What computes, as far as the way to compute depends on it."""

import jax


def on_gpu() -> bool:
    """Whether a GPU computes what is said to run nowhere else."""
    return _platform() in ("gpu", "cuda", "rocm")


def on_cpu() -> bool:
    """Whether a CPU computes what is said to run nowhere else."""
    return _platform() == "cpu"


def _platform() -> str:
    device = jax.config.jax_default_device
    return getattr(device, "platform", device) or jax.default_backend()
