"""What a device computes at most and what power it draws, by the kind of a target.

Peaks are those of dense products in bfloat16. TPUs: Google Cloud's pages on each version; v2 and v3 and their
power: Jouppi et al. 2020, "A domain-specific supercomputer for training deep neural networks", table 3; the
power of v4, the most that was measured: Jouppi et al. 2023 (arXiv 2304.01433), table 4. GPUs: the data sheets
of NVIDIA's SXM boards. Google publishes no power of its other versions.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Peak:
    """Of one device, as JAX counts devices: of v2, v3 and tpu7x half a chip.

    Attributes:
      flops: a second, in dense products of bfloat16.
      watts: drawn at most; None where it is not published.
    """

    flops: float
    watts: float | None = None


#: By the kind of a target; a processor has none.
PEAKS = {
    "v2": Peak(46e12 / 2, 280 / 2),
    "v3": Peak(123e12 / 2, 450 / 2),
    "v4": Peak(275e12, 192),
    "v5e": Peak(197e12),
    "v5p": Peak(459e12),
    "v6e": Peak(918e12),
    "tpu7x": Peak(2307e12 / 2),
    "a100-40": Peak(312e12, 400),
    "a100-80": Peak(312e12, 400),
    "h100": Peak(989.4e12, 700),
    "h200": Peak(989.4e12, 700),
    "b200": Peak(2250e12, 1000),
}
