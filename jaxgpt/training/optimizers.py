"""Optimizers and schedules, from optax."""

import optax

from jaxgpt.training.config import OptimizerConfig


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
    momentum, everything else by AdamW, as optax.contrib.muon does it.

    Args:
      axes: logical axes by parameter name; they tell Muon which axes of a kernel form its matrix.
    """
    rate = schedule(config, steps)
    mask = decay_mask if config.decay == "matrices" else None
    if config.name == "muon":
        rule = optax.contrib.muon(
            rate,
            weight_decay=config.weight_decay,
            weight_decay_mask=mask,
            adam_b1=config.beta1,
            adam_b2=config.beta2,
            adam_weight_decay=config.weight_decay,
            eps=config.epsilon,
            consistent_rms=0.2,
            muon_weight_dimension_numbers=lambda params: {
                name: _muon_axes(name, value.ndim, axes) for name, value in params.items()
            },
        )
    else:
        rule = optax.adamw(
            rate,
            b1=config.beta1,
            b2=config.beta2,
            eps=config.epsilon,
            weight_decay=config.weight_decay,
            mask=mask,
        )
    clip = [] if config.clip_norm is None else [optax.clip_by_global_norm(config.clip_norm)]
    return optax.chain(*clip, rule)


def _muon_axes(name: str, ndim: int, axes: dict[str, tuple]):
    """The input and output axes of a kernel; None for what Muon leaves to AdamW."""
    names = axes[name]
    if not name.endswith(".kernel"):
        return None
    first = ndim - len(names)  # layers stand before the named axes
    inputs = [i for i, axis in enumerate(names) if axis == "embed"] or [0]
    if inputs[0] != 0:  # an output map: everything before `embed` is its input
        inputs = list(range(inputs[0]))
    outputs = [i for i in range(len(names)) if i not in inputs]
    return optax.contrib.MuonDimensionNumbers(
        reduction_axis=tuple(first + i for i in inputs), output_axis=tuple(first + i for i in outputs)
    )
