"""What is set for the user before JAX starts. `JAXGPT_SETTINGS=off` leaves everything as it is.

- glibc's allocator keeps the memory that a step has freed, instead of giving it back and faulting it in
  again at the next one. Elsewhere than on glibc nothing is done.
- Compiled programs are kept in `~/.cache/jaxgpt` (or under `XDG_CACHE_HOME`), apart by processor, at most 2
  GiB of them, so that the second run of an experiment does not compile again. Whoever can write there
  decides what runs here: the directory is open to its user alone, and must not be shared.
- Replicas of several seeds are spread over the cores of a CPU, each core one device.
- A training step on a GPU is compiled without XLA's merging of products that share an operand: queries, keys
  and values of one product would be cut apart again, by kernels of their own. Where XLA does not know the
  option it is left out. `benchmarks/training.py` measures it.
- The program that draws the first weights runs once, so that on a CPU it is compiled with less optimization,
  which does not change what is drawn.

What the environment or the program has set already is left alone. `benchmarks/startup.py` and
`benchmarks/seeds.py` measure what the allocator, the kept programs and the spread seeds are worth.
"""

import ctypes
import functools
import hashlib
import os
import platform
import sys
from pathlib import Path

#: The variable that switches all of it off.
SWITCH = "JAXGPT_SETTINGS"

#: Parameters of glibc's mallopt(3), and what they are set to: never give memory back, take it 64 MiB at a
#: time, and never by mmap, which would fault in every page anew.
_MALLOPT = {-1: 2**31 - 1, -2: 64 << 20, -4: 0}
_CACHE_BYTES = 2 << 30
#: What XLA is told of a training step on a GPU.
_TRAINING = {"xla_gpu_dot_merger_threshold_mb": "0"}
#: XLA options of a program that runs once on a CPU.
_ONCE = {"xla_backend_optimization_level": "1"}
#: Programs that compile faster than this are not worth a file.
_CACHE_SECONDS = 0.3


def apply() -> None:
    """Set the allocator and the compilation cache; again it does nothing."""
    if off():
        return
    _keep_memory()
    _keep_programs()


def spread_seeds(seeds: int) -> None:
    """As many CPU devices as a number of seeds can use of the cores; to be called before JAX has devices."""
    count = max(n for n in range(1, cores() + 1) if seeds % n == 0)
    if off() or count == 1 or "host_platform_device_count" in os.environ.get("XLA_FLAGS", ""):
        return
    import jax

    if jax.config.jax_num_cpu_devices > 0:
        return
    try:
        jax.config.update("jax_num_cpu_devices", count)
    except RuntimeError:  # there are devices already, which the caller has chosen
        return


def for_training(*, on_gpu: bool) -> dict[str, str]:
    """Options of XLA for a training step."""
    return _left_open(_TRAINING) if on_gpu else {}


def for_one_call(*, on_cpu: bool) -> dict[str, str]:
    """Options of XLA for a program that runs once."""
    return _left_open(_ONCE) if on_cpu else {}


def _left_open(options: dict[str, str]) -> dict[str, str]:
    """Those of the options that XLA knows and the environment does not set."""
    if off():
        return {}
    given = os.environ.get("XLA_FLAGS", "")
    return {name: value for name, value in options.items() if name not in given and _known(name, value)}


@functools.cache
def _known(name: str, value: str) -> bool:
    import jax

    try:
        jax.jit(lambda x: x, compiler_options={name: value}).lower(0).compile()
    except (jax.errors.JaxRuntimeError, ValueError):
        return False
    return True


def off() -> bool:
    """Whether the switch is off.

    Raises:
      ValueError: if it is neither on nor off.
    """
    switch = os.environ.get(SWITCH, "on")
    if switch not in ("on", "off"):
        raise ValueError(f"{SWITCH}={switch} in the environment: on or off")
    return switch == "off"


def _keep_memory() -> None:
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return
    if any(name.startswith("MALLOC_") for name in os.environ) or "LD_PRELOAD" in os.environ:
        return
    try:
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    except OSError:  # a Python without shared libraries
        return
    if mallopt is not None:
        for parameter, value in _MALLOPT.items():
            mallopt(parameter, value)


def _keep_programs() -> None:
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = home / "jaxgpt" / f"programs-{_processor()}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except (OSError, RuntimeError):  # a home that cannot be written to, or none at all
        return
    others = os.name == "posix" and (found.st_uid != os.getuid() or found.st_mode & 0o077)
    if others or not os.access(folder, os.W_OK):
        return
    values = {
        "jax_compilation_cache_dir": str(folder),
        "jax_compilation_cache_max_size": _CACHE_BYTES,
        "jax_persistent_cache_min_compile_time_secs": _CACHE_SECONDS,
    }
    if "jax" not in sys.modules:  # which reads them when it is imported
        for name, value in values.items():
            os.environ.setdefault(name.upper(), str(value))
        return
    import jax

    if jax.config.jax_compilation_cache_dir is None:
        for name, value in values.items():
            jax.config.update(name, value)


def _processor() -> str:
    """Tells processors apart: a program is compiled for what one of them can do."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8", errors="replace").splitlines() if listing.exists() else []
    told = sorted(
        {line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))}
    )
    text = "\n".join([platform.machine(), platform.processor(), *told])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def cores() -> int:
    """Cores open to this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
