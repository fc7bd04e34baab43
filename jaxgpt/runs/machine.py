"""What a run was computed with, so that its figures can be read with it."""

import platform
from importlib.metadata import version
from pathlib import Path

import jax

from jaxgpt.core.settings import cores


def machine() -> dict[str, str | int]:
    """The devices, the processor and its cores open to this process, and the versions that matter."""
    devices = jax.devices()
    return {
        "device": f"{len(devices)} x {devices[0].device_kind}",
        "processor": _processor(),
        "cores": cores(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("jaxgpt", "jax", "flax", "optax")},
    }


def _processor() -> str:
    """Its name, where the system tells."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
