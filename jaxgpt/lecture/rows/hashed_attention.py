"""Reformer: hashing, so that a long text costs little more for each of its tokens."""

import dataclasses
import functools

import numpy as np

from jaxgpt.lecture.arm_curves import ArmCurves
from jaxgpt.lecture.attention_cost import cost, exponent, layers
from jaxgpt.lecture.row import Row


@dataclasses.dataclass(frozen=True)
class HashedAttention(Row):
    """Time and memory of a layer by length: full attention, windows, Longformer, Reformer's hashing.

    Kitaev et al. 2020, arXiv 2001.04451, section 2 and figure 5.
    """

    place = 11
    title = "Reformer: time and memory against length"
    claim = (
        "Full attention compares each token with each other, so a text of twice the length costs four times "
        "as much. Windows compare with neighbours, and Reformer with those that fall into the same bucket of "
        "a hash. Here nothing is trained: one layer of width 128, forwards and backwards, on one text. The "
        "exponents say by what power of the length the cost grows."
    )

    lengths: tuple[int, ...] = (256, 512, 1024, 2048, 4096)
    repeats: int = 5

    def shortened(self):
        return dataclasses.replace(self, lengths=self.lengths[:3])

    def parts(self, runs, files):
        found = {
            name: [cost(config, length, self.repeats) for length in self.lengths]
            for name, config in layers(self.lengths[-1]).items()
        }
        seconds = {name: [1e3 * np.median(one.seconds) for one in costs] for name, costs in found.items()}
        mib = {name: [one.mib for one in costs] for name, costs in found.items()}

        def named(name: str, values: dict[str, list[float]]) -> str:
            return f"{name}, exponent {exponent(self.lengths, values[name]):.2f}"

        curves = functools.partial(
            ArmCurves, "tokens of the text", self.lengths, scale="log", measure_scale="log", over="repeats"
        )
        times = {
            named(name, seconds): tuple(tuple(1e3 * s for s in one.seconds) for one in costs)
            for name, costs in found.items()
        }
        sizes = {named(name, mib): tuple((one.mib,) for one in costs) for name, costs in found.items()}
        return {"time": curves("milliseconds", times), "memory": curves("MiB", sizes)}
