"""Optimizers and schedules, from optax."""

import math

import optax

from jaxgpt.training.training_config import OptimizerConfig


def schedule(config: OptimizerConfig, steps: int) -> optax.Schedule:
    """Linear warm-up from 0, then constant, linear or cosine decay to `final_fraction` at the last step."""
    peak, warmup = config.learning_rate, min(config.warmup_steps, steps)
    rest = max(steps - warmup, 1)
    if config.schedule == "constant":
        after = optax.constant_schedule(peak)
    elif config.schedule == "linear":
        after = optax.linear_schedule(peak, peak * config.final_fraction, rest)
    else:
        after = optax.cosine_decay_schedule(peak, rest, alpha=config.final_fraction)
    if warmup == 0:
        return after
    # The first step must move, so the ramp starts one step in.
    ramp = optax.linear_schedule(peak / warmup, peak, max(warmup - 1, 1))
    return optax.join_schedules([ramp, after], [warmup])


def decay_mask(params: dict) -> dict:
    """True for kernels and tables, False for biases and norms; by name, since stacking adds dimensions."""
    return {name: name.rsplit(".", 1)[-1] in ("kernel", "table", "head") for name in params}


def build(config: OptimizerConfig, steps: int, axes: dict[str, tuple]) -> optax.GradientTransformation:
    """The update rule of a run.

    AdamW: Loshchilov & Hutter 2019, arXiv 1711.05101. Muon: Jordan et al. 2024; kernels by orthogonalized
    momentum, everything else by AdamW.

    Args:
      axes: logical axes by parameter name; they tell Muon which axes of a kernel form its matrix.
    """
    rate = schedule(config, steps)
    mask = decay_mask if config.decay == "matrices" else None
    adamw = optax.adamw(
        rate,
        b1=config.beta1,
        b2=config.beta2,
        eps=config.epsilon,
        weight_decay=config.weight_decay,
        mask=mask,
    )
    rule = _muon(config, rate, axes, adamw) if config.name == "muon" else adamw
    clip = [] if config.clip_norm is None else [optax.clip_by_global_norm(config.clip_norm)]
    return optax.chain(*clip, rule)


def _muon(config: OptimizerConfig, rate, axes: dict[str, tuple], rest: optax.GradientTransformation):
    """Orthogonalized momentum for kernels, `rest` for everything else.

    Put together here because optax.contrib.muon would decay biases and norms with the rest. An update is
    scaled by 0.2 sqrt(max(inputs, outputs)), which gives it the size of one of AdamW's, so that both take
    the same learning rate (Liu et al. 2025, arXiv 2502.16982, section 2.2).
    """

    def numbers(values):
        # What belongs to `rest` arrives as a placeholder and has to stay one.
        return {
            name: _muon_axes(name, value.ndim, axes) if hasattr(value, "ndim") else value
            for name, value in values.items()
        }

    def size(name: str, update):
        matrix = numbers({name: update})[name]
        sides = [math.prod(update.shape[i] for i in side) for side in matrix]
        return update * (0.2 * math.sqrt(max(sides)))

    def scale(updates, params):
        return {name: size(name, u) if hasattr(u, "ndim") else u for name, u in updates.items()}

    muon = optax.chain(
        optax.contrib.scale_by_muon(eps=config.epsilon, weight_dimension_numbers=numbers),
        optax.stateless(scale),
        optax.add_decayed_weights(config.weight_decay),
        optax.scale_by_learning_rate(rate),
    )

    def labels(params):
        return {name: "muon" if name.endswith(".kernel") else "rest" for name in params}

    return optax.partition({"muon": muon, "rest": rest}, labels)


def _muon_axes(name: str, ndim: int, axes: dict[str, tuple]) -> optax.contrib.MuonDimensionNumbers:
    inputs, outputs = matrix_sides(axes[name], ndim)
    return optax.contrib.MuonDimensionNumbers(reduction_axis=inputs, output_axis=outputs)


def matrix_sides(names: tuple[str | None, ...], ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The input and the output dimensions of a kernel of `ndim`, told by its logical axes."""
    first = ndim - len(names)  # layers stand before the named axes
    inputs = [i for i, axis in enumerate(names) if axis == "embed"][:1] or [0]
    if inputs[0] != 0:  # an output map: everything before `embed` is its input
        inputs = list(range(inputs[0]))
    outputs = [i for i in range(len(names)) if i not in inputs]
    return tuple(first + i for i in inputs), tuple(first + i for i in outputs)
