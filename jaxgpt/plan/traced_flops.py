"""Floating-point operations that a traced function computes, those of a loop as often as it runs.

XLA's own count takes the body of a loop once. The trace tells how often it runs, and what `model.remat`
computes again. Counted are products of matrices and convolutions, two operations a multiplication; all else
is small beside them. What a kernel written by hand computes is seen only in one of Pallas.
"""

import math
from collections.abc import Iterator

from jax.extend.core import ClosedJaxpr, Jaxpr


def count(jaxpr: Jaxpr | ClosedJaxpr) -> int:
    """Operations of a trace. Of branches the dearest counts; a loop of unknown length runs once."""
    return sum(map(_equation, _open(jaxpr).eqns))


def _open(jaxpr: Jaxpr | ClosedJaxpr) -> Jaxpr:
    return jaxpr.jaxpr if isinstance(jaxpr, ClosedJaxpr) else jaxpr


def _equation(equation) -> int:
    params = equation.params
    counter = _COUNTERS.get(equation.primitive.name)
    if counter is not None:
        return counter(equation)
    return sum(count(inner) for value in params.values() for inner in _traces(value))


def _traces(value) -> Iterator[Jaxpr | ClosedJaxpr]:
    for entry in value if isinstance(value, tuple | list) else (value,):
        if isinstance(entry, Jaxpr | ClosedJaxpr):
            yield entry


def _dot(equation) -> int:
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval.shape
    return 2 * math.prod(equation.outvars[0].aval.shape) * math.prod(left[axis] for axis in contracted)


def _convolution(equation) -> int:
    kernel = equation.invars[1].aval.shape
    outputs = kernel[equation.params["dimension_numbers"].rhs_spec[0]]
    return 2 * math.prod(equation.outvars[0].aval.shape) * math.prod(kernel) // outputs


def _scan(equation) -> int:
    return equation.params["length"] * count(equation.params["jaxpr"])


def _branches(equation) -> int:
    return max(map(count, equation.params["branches"]))


def _kernel(equation) -> int:
    """A Pallas kernel runs once a point of its grid."""
    return math.prod(equation.params["grid_mapping"].grid) * count(equation.params["jaxpr"])


_COUNTERS = {
    "dot_general": _dot,
    "conv_general_dilated": _convolution,
    "scan": _scan,
    "cond": _branches,
    "pallas_call": _kernel,
}
