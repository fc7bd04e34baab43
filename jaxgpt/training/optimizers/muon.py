"""Muon (Jordan et al. 2024): orthogonalized momentum."""

import dataclasses
import math

import optax

from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.optimizers.base import matrix_sides


@dataclasses.dataclass(frozen=True)
class Muon(AdamW):
    """Orthogonalized momentum for kernels (Jordan et al. 2024), AdamW for everything else.

    Put together here because optax.contrib.muon would decay biases and norms with the rest. An update is
    scaled by 0.2 sqrt(max(inputs, outputs)), which gives it the size of one of AdamW's, so that both take
    the same learning rate (Liu et al. 2025, arXiv 2502.16982, section 2.2).
    """

    def rule(self, rate, axes):
        def numbers(values):
            # What belongs to the rest arrives as a placeholder and has to stay one.
            return {
                name: _matrix(name, value.ndim, axes) if hasattr(value, "ndim") else value
                for name, value in values.items()
            }

        def size(name: str, update):
            matrix = numbers({name: update})[name]
            sides = [math.prod(update.shape[i] for i in side) for side in matrix]
            return update * (0.2 * math.sqrt(max(sides)))

        def scale(updates, params):
            return {name: size(name, u) if hasattr(u, "ndim") else u for name, u in updates.items()}

        muon = optax.chain(
            optax.contrib.scale_by_muon(eps=self.epsilon, weight_dimension_numbers=numbers),
            optax.stateless(scale),
            optax.add_decayed_weights(self.weight_decay),
            optax.scale_by_learning_rate(rate),
        )

        def labels(params):
            return {name: "muon" if name.endswith(".kernel") else "rest" for name in params}

        return optax.partition({"muon": muon, "rest": super().rule(rate, axes)}, labels)


def _matrix(name: str, ndim: int, axes: dict[str, tuple]) -> optax.contrib.MuonDimensionNumbers:
    inputs, outputs = matrix_sides(axes[name], ndim)
    return optax.contrib.MuonDimensionNumbers(reduction_axis=inputs, output_axis=outputs)
