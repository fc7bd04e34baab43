"""Hardware to plan for, by name: `v5e:16x16`, `h200:4x8`, `cpu:8`."""

import abc
import dataclasses
import importlib.util
import math
import os
import sys
from typing import ClassVar

from jaxgpt.core.choice import nearest
from jaxgpt.core.usage import UsageError
from jaxgpt.plan.gpus import GPUS

_INSTALL = "pip install 'jaxgpt[plan]'"


@dataclasses.dataclass(frozen=True)
class Target(abc.ABC):
    """Devices that need not be there.

    Attributes:
      kind: of the devices, such as `v5e`.
      shape: how many there are along each dimension.
    """

    kind: str
    shape: tuple[int, ...]

    #: How a target is written, by kind.
    usage: ClassVar[dict[str, str]]
    #: Modules of which one has to be installed.
    COMPILERS: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        self.check_shape()

    @abc.abstractmethod
    def check_shape(self) -> None:
        """Raises UsageError if a target of this kind has not so many dimensions."""

    @property
    def name(self) -> str:
        return f"{self.kind}:{'x'.join(map(str, self.shape))}"

    @property
    def count(self) -> int:
        """Devices in all."""
        return math.prod(self.shape)

    @property
    def a_host(self) -> int:
        """Devices that are joined more closely than the rest."""
        return self.count

    @property
    @abc.abstractmethod
    def memory(self) -> int:
        """Bytes of one device that a program may use."""

    @property
    def memory_note(self) -> str:
        """Where that figure comes from, if it needs saying."""
        return ""

    def check(self) -> None:
        """Raises UsageError if nothing that compiles for it is installed."""
        if self.COMPILERS and not any(map(_found, self.COMPILERS)):
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            python = "" if sys.version_info >= (3, 12) else f" in Python 3.12 or later (this is {version})"
            raise UsageError(
                f"--target {self.name}: {self.COMPILERS[0].split('.')[-1]}, which compiles for it, is not "
                f"installed; {_INSTALL}{python}, or plan for cpu:8"
            )

    @abc.abstractmethod
    def environment(self) -> dict[str, str]:
        """Variables that the compiling process needs before JAX starts."""

    @abc.abstractmethod
    def devices(self) -> list:
        """The devices, in the compiling process.

        Raises:
          ValueError: if there is no machine of this shape.
        """


class Tpu(Target):
    """A slice of a TPU pod, compiled for by libtpu."""

    COMPILERS = ("libtpu",)

    #: GiB that XLA may use of a device's memory: what libtpu 0.0.52 says when a program needs more. A device
    #: is a chip, and of v2, v3 and tpu7x half a chip.
    MEMORY: ClassVar = {
        "v2": 7.48,
        "v3": 15.48,
        "v4": 30.75,
        "v5e": 15.75,
        "v5p": 95.73,
        "v6e": 31.24,
        "tpu7x": 94.74,
    }
    #: Devices on a chip where that is not one.
    ON_A_CHIP: ClassVar = {"v2": 2, "v3": 2, "tpu7x": 2}
    usage: ClassVar = {
        "v2": "v2:4x4",
        "v3": "v3:4x4",
        "v4": "v4:2x2x4",
        "v5e": "v5e:4x4",
        "v5p": "v5p:2x2x4",
        "v6e": "v6e:4x4",
        "tpu7x": "tpu7x:2x2x4",
    }

    def check_shape(self) -> None:
        dimensions = self.usage[self.kind].count("x", len(self.kind)) + 1
        if len(self.shape) != dimensions:
            raise UsageError(
                f"--target {self.name}: a {self.kind} slice has {dimensions} dimensions, such as "
                f"{self.usage[self.kind]}"
            )

    @property
    def count(self) -> int:
        return math.prod(self.shape) * self.ON_A_CHIP.get(self.kind, 1)

    @property
    def memory(self) -> int:
        return int(self.MEMORY[self.kind] * 2**30)

    def environment(self) -> dict[str, str]:
        # Compiling holds no device: no lock on one, no questions to a cloud that is not there.
        return {"TPU_SKIP_MDS_QUERY": "1", "ALLOW_MULTIPLE_LIBTPU_LOAD": "1", "TPU_STDERR_LOG_LEVEL": "3"}

    def devices(self) -> list:
        # The two cores of a v4 chip are one device, as they are where JAX finds one.
        options = {"chip_config_name": "megacore"} if self.kind == "v4" else {}
        return _topology(self.name, "tpu", self.name, **options)


class Gpus(Target):
    """NVIDIA GPUs, compiled for by JAX's CUDA plugin without CUDA: hosts x GPUs of a host."""

    COMPILERS = ("jax_plugins.xla_cuda13", "jax_plugins.xla_cuda12")

    usage: ClassVar = {kind: f"{kind}:4x8" for kind in GPUS}

    def check_shape(self) -> None:
        if len(self.shape) > 2:
            raise UsageError(f"--target {self.name}: hosts x GPUs of a host, such as {self.usage[self.kind]}")

    @property
    def a_host(self) -> int:
        return self.shape[-1]

    @property
    def _share(self) -> float:
        """Of the memory that JAX takes: its own default, or what the environment sets."""
        names = ("XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION")
        text = next((os.environ[name] for name in names if name in os.environ), "0.75")
        try:
            share = float(text)
        except ValueError:
            share = 0.0
        if not 0 < share <= 1:
            raise UsageError(f"XLA_PYTHON_CLIENT_MEM_FRACTION={text} in the environment: between 0 and 1")
        return share

    @property
    def memory(self) -> int:
        return int(GPUS[self.kind].gib * self._share * 2**30)

    @property
    def memory_note(self) -> str:
        whole = GPUS[self.kind].gib
        return f"{self._share:.0%} of {whole} GiB, as JAX takes it (XLA_PYTHON_CLIENT_MEM_FRACTION)"

    def environment(self) -> dict[str, str]:
        return {"JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1"}

    def devices(self) -> list:
        hosts = self.shape[0] if len(self.shape) == 2 else 1
        return _topology(
            self.name,
            "cuda",
            target_config=GPUS[self.kind].target_config(),
            topology=f"1x{hosts}x{self.shape[-1]}",
        )


class Cpu(Target):
    """This machine's processor as several devices, which share its memory."""

    usage: ClassVar = {"cpu": "cpu:8"}

    def check_shape(self) -> None:
        if len(self.shape) > 1:
            raise UsageError(f"--target {self.name}: one number of devices, such as cpu:8")

    @property
    def memory(self) -> int:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // self.count

    @property
    def memory_note(self) -> str:
        return "a share of this machine's memory"

    def environment(self) -> dict[str, str]:
        flags = os.environ.get("XLA_FLAGS", "")
        return {"XLA_FLAGS": f"{flags} --xla_force_host_platform_device_count={self.count}".strip()}

    def devices(self) -> list:
        import jax

        return jax.devices("cpu")


FAMILIES: tuple[type[Target], ...] = (Tpu, Gpus, Cpu)


def parse(text: str) -> Target:
    """The target that a text names.

    Raises:
      UsageError: if there is none, with those that there are.
    """
    usages = {kind: usage for family in FAMILIES for kind, usage in family.usage.items()}
    kind, _, sizes = text.lower().partition(":")
    if kind not in usages:
        raise UsageError(
            f"--target {text}: {nearest(kind, list(usages))}, as in {', '.join(usages.values())}"
        )
    parts = sizes.split("x")
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"--target {text}: give the number of devices, such as {usages[kind]}")
    family = next(family for family in FAMILIES if kind in family.usage)
    return family(kind, tuple(map(int, parts)))


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its package
        return False


def _topology(name: str, platform: str, topology_name: str = "", **options) -> list:
    from jax.errors import JaxRuntimeError
    from jax.experimental import topologies

    try:
        return list(topologies.get_topology_desc(topology_name, platform=platform, **options).devices)
    except (JaxRuntimeError, NotImplementedError, RuntimeError) as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"--target {name}: {reason}") from error
