"""GPUs as XLA describes them to itself, so that it compiles for one without one.

Figures are NVIDIA's: the data sheets and architecture white papers of A100, H100, H200 and B200, and the
table of compute capabilities in the CUDA C++ Programming Guide (threads, registers, shared memory).
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Gpu:
    """One GPU.

    Attributes:
      gib: memory that CUDA reports as the device's, below what is on the label.
      bandwidth: of the memory, bytes a second.
      l2: bytes. clock: GHz. shared_kib: shared memory of a multiprocessor.
    """

    name: str
    gib: float
    capability: tuple[int, int]
    multiprocessors: int
    lanes: int
    bandwidth: float
    l2: int
    clock: float
    shared_kib: int

    def target_config(self) -> str:
        """The text of XLA's GpuTargetConfigProto."""
        major, minor = self.capability
        return f"""gpu_device_info {{
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: {48 << 10}
  shared_memory_per_core: {self.shared_kib << 10}
  shared_memory_per_block_optin: {self.shared_kib - 1 << 10}
  threads_per_core_limit: 2048
  core_count: {self.multiprocessors}
  fpus_per_core: {self.lanes}
  block_dim_limit_x: {2**31 - 1}
  block_dim_limit_y: {2**16 - 1}
  block_dim_limit_z: {2**16 - 1}
  registers_per_core_limit: {1 << 16}
  registers_per_block_limit: {1 << 16}
  memory_bandwidth: {int(self.bandwidth)}
  l2_cache_size: {self.l2}
  clock_rate_ghz: {self.clock}
  device_memory_size: {int(self.gib * 2**30)}
  cuda_compute_capability {{ major: {major} minor: {minor} }}
}}
platform_name: "CUDA"
runtime_version {{ major: 13 }}
dnn_version_info {{ major: 9 minor: 12 }}
device_description_str: "{self.name}"
"""


#: By the name of a target.
GPUS = {
    "a100-40": Gpu("NVIDIA A100 40 GB", 39.4, (8, 0), 108, 64, 1.555e12, 40 << 20, 1.41, 164),
    "a100-80": Gpu("NVIDIA A100 80 GB", 79.1, (8, 0), 108, 64, 2.039e12, 40 << 20, 1.41, 164),
    "h100": Gpu("NVIDIA H100 80 GB", 79.1, (9, 0), 132, 128, 3.35e12, 50 << 20, 1.98, 228),
    "h200": Gpu("NVIDIA H200", 139.8, (9, 0), 132, 128, 4.8e12, 50 << 20, 1.98, 228),
    "b200": Gpu("NVIDIA B200", 178.3, (10, 0), 148, 128, 8e12, 126 << 20, 1.965, 228),
}
