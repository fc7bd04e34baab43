"""Taps: functions that see every named activation and may change it.

A tap is called as `tap(name, array)` and returns the array that the model goes on with. Names are dotted:
`embedding`, `decoder.0.attention.weights`, `decoder.0.mlp.hidden`, `decoder.0.residual`, `logits`, ...
The identity is recognised and costs nothing.
"""

from collections.abc import Callable

from jaxtyping import Array

Tap = Callable[[str, Array], Array]


def identity(name: str, value: Array) -> Array:
    """The tap that changes nothing."""
    return value


def recorder() -> tuple[dict[str, Array], Tap]:
    """A dictionary and a tap that fills it with every activation by name."""
    seen: dict[str, Array] = {}

    def tap(name: str, value: Array) -> Array:
        seen[name] = value
        return value

    return seen, tap


def below(tap: Tap, prefix: str) -> Tap:
    """The tap for a part of the model whose names all start with `prefix`."""
    if tap is identity:
        return identity
    return lambda name, value: tap(f"{prefix}.{name}", value)
