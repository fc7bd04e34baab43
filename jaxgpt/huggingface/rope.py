"""Rotary positions in a `config.json`: transformers 5 has `rope_parameters`, older files two fields."""

from collections.abc import Mapping
from typing import Any

from jaxgpt.huggingface.fields import Given
from jaxgpt.nn.position.rotary import Rotary


def read(given: Given, *, theta: float = 10_000.0, kind: str | None = None) -> Rotary:
    """The position scheme of a file.

    Args:
      theta: where the file says nothing.
      kind: of layer, where each kind has parameters of its own.

    Raises:
      ValueError: for a way of scaling that `Rotary` does not have.
    """
    found = given.fields.get("rope_parameters") or {}
    if kind is not None and kind in found:
        found = found[kind]
    old = given.fields.get("rope_scaling") or {}
    if not isinstance(found, Mapping) or not isinstance(old, Mapping):
        raise ValueError(f"{given.source}: rope_parameters and rope_scaling must be objects")
    part = Given({"rope_theta": given.fields.get("rope_theta", theta), **old, **found}, given.source)
    name = part.fields.get("rope_type", part.fields.get("type", "default"))
    base = Rotary(theta=part.get("rope_theta", theta))
    if name in ("default", None):
        return base
    if name == "linear":
        return Rotary(theta=base.theta, factor=part.get("factor", 1.0))
    if name == "llama3":
        return Rotary(
            theta=base.theta,
            factor=part.get("factor", 8.0),
            trained_length=part.get("original_max_position_embeddings"),
            low=part.get("low_freq_factor", 1.0),
            high=part.get("high_freq_factor", 4.0),
        )
    raise ValueError(f"{given.source}: rope_type={name!r} is not supported; default, linear and llama3 are")


def fields(position: Rotary) -> dict[str, Any]:
    """The fields of a position scheme, by today's name and by the two of transformers before version 5."""
    found = write(position)
    scaling = {name: value for name, value in found.items() if name != "rope_theta"}
    old = None if found["rope_type"] == "default" else scaling
    return {"rope_parameters": found, "rope_theta": position.theta, "rope_scaling": old}


def write(position: Rotary) -> dict[str, Any]:
    """The `rope_parameters` of a position scheme."""
    if position.factor == 1:
        return {"rope_type": "default", "rope_theta": position.theta}
    if position.trained_length is None:
        return {"rope_type": "linear", "rope_theta": position.theta, "factor": position.factor}
    return {
        "rope_type": "llama3",
        "rope_theta": position.theta,
        "factor": position.factor,
        "original_max_position_embeddings": position.trained_length,
        "low_freq_factor": position.low,
        "high_freq_factor": position.high,
    }
