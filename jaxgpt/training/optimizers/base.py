"""What an optimizer is: a frozen description of a schedule, clipping and an update rule of optax."""

import dataclasses
import math
import re
from typing import Annotated, ClassVar, Literal

import optax

from jaxgpt.core.choice import Choice


@dataclasses.dataclass(frozen=True)
class Optimizer(Choice, package="jaxgpt.training.optimizers"):
    """The schedule and clipping that all optimizers share; a member defines `rule`.

    A member with checks of its own calls `super().__post_init__()` first.
    """

    learning_rate: Annotated[float, "highest learning rate"] = 1e-3
    schedule: Annotated[Literal["constant", "linear", "cosine"], "after the warm-up"] = "cosine"
    warmup_steps: Annotated[int, "steps from zero to the highest rate, linear"] = 100
    final_fraction: Annotated[float, "share of the rate that is left after the last step"] = 0.1
    weight_decay: Annotated[float, "decoupled weight decay"] = 0.01
    decay: Annotated[
        Literal["matrices", "all"],
        "what decays; matrices: linear maps, the output matrix, vectors of tokens and numbers, those of the "
        "position schemes learned, abacus and coupled; all: every weight",
    ] = "matrices"
    clip_norm: Annotated[float | None, "largest global gradient norm; none: no clipping"] = 1.0

    keeps: ClassVar[tuple[str, ...]] = (
        "learning_rate",
        "schedule",
        "warmup_steps",
        "final_fraction",
        "weight_decay",
        "decay",
        "clip_norm",
    )

    def __post_init__(self):
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate={self.learning_rate} must be positive and finite")
        if self.warmup_steps < 0:
            raise ValueError(f"warmup_steps={self.warmup_steps} must not be negative")
        if not 0 <= self.final_fraction <= 1:
            raise ValueError(f"final_fraction={self.final_fraction} must be between 0 and 1")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay={self.weight_decay} must be at least 0 and finite")
        if self.clip_norm is not None and not 0 < self.clip_norm < math.inf:
            raise ValueError(f"clip_norm={self.clip_norm} must be positive and finite, or none")

    def rule(self, rate: optax.Schedule, axes: dict[str, tuple]) -> optax.GradientTransformation:
        """The update for clipped gradients, with weight decay and the factor -rate in it.

        Gradients and weights are dictionaries by parameter name. With `layers=scanned` a weight has a leading
        dimension for the layers, which `axes` does not name.

        Args:
          rate: the learning rate by step, from `rate`.
          axes: logical axes by parameter name.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no rule")

    def build(self, steps: int, axes: dict[str, tuple]) -> optax.GradientTransformation:
        """The clipping and the update rule of a run of `steps`."""
        clip = [] if self.clip_norm is None else [optax.clip_by_global_norm(self.clip_norm)]
        return optax.chain(*clip, self.rule(self.rate(steps), axes))

    def rate(self, steps: int) -> optax.Schedule:
        """Linear warm-up, then a constant rate or linear or cosine decay to `final_fraction` at the end."""
        peak, warmup = self.learning_rate, min(self.warmup_steps, steps)
        rest = max(steps - warmup, 1)
        if self.schedule == "constant":
            after = optax.constant_schedule(peak)
        elif self.schedule == "linear":
            after = optax.linear_schedule(peak, peak * self.final_fraction, rest)
        else:
            after = optax.cosine_decay_schedule(peak, rest, alpha=self.final_fraction)
        if warmup == 0:
            return after
        # The first step must move, so the ramp starts one step in.
        ramp = optax.linear_schedule(peak / warmup, peak, max(warmup - 1, 1))
        return optax.join_schedules([ramp, after], [warmup])

    def decays(self, params: dict) -> dict:
        """By parameter name, whether it decays: the `mask` of optax's rules."""
        return decay_mask(params) if self.decay == "matrices" else dict.fromkeys(params, True)


def decay_mask(params: dict) -> dict:
    """True for linear maps, the output matrix, and tables of vectors: of tokens, of numbers, of positions.

    False for all else: biases, norms, segments, a concat mixer's blank, rows and columns of axial positions,
    and what relative positions learn in attention. It goes by name, since stacking adds dimensions.
    """
    return {name: _MATRIX.search(name) is not None for name in params}


#: Kernels, what is added to them with `tuning.weights=lora`, tables, and the matrices of an adaptive softmax.
_MATRIX = re.compile(
    r"(^|\.)(kernel|kernel\.down|kernel\.up|table|head|embedding\.((tables|maps)\.\d+|out_map|clusters))$"
)


def matrix_sides(names: tuple[str | None, ...], ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The input and the output dimensions of a kernel of `ndim`, told by its logical axes."""
    first = ndim - len(names)  # layers stand before the named axes
    last = names.index("embed") if "embed" in names else 0
    inputs = range(last + 1)
    if 0 < last == len(names) - 1:  # an output map: everything before `embed` is its input
        inputs = range(last)
    outputs = [i for i in range(len(names)) if i not in inputs]
    return tuple(first + i for i in inputs), tuple(first + i for i in outputs)
