"""Rotary positions in a `config.json`: transformers 5 has `rope_parameters`, older files two fields."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from jaxgpt.huggingface.config_fields import Given
from jaxgpt.nn.position.rotary import Rotary

#: Kinds of layers that may have parameters of their own, and the older field with the base of each.
_KINDS = {"full_attention": "rope_theta", "sliding_attention": "rope_local_base_freq"}
#: What each way of scaling must say, and what it is called here.
_SCALED = {
    "linear": {"factor": "factor"},
    "llama3": {
        "factor": "factor",
        "original_max_position_embeddings": "trained_length",
        "low_freq_factor": "low",
        "high_freq_factor": "high",
    },
}


def read(given: Given, *, theta: float = 10_000.0, kind: str | None = None) -> Rotary:
    """The position scheme of a file.

    Args:
      theta: where the file says nothing.
      kind: of layer, where each kind has parameters of its own.

    Raises:
      ValueError: for a way of scaling that `Rotary` does not have, one without a field that it needs, or
        fields that say different things, of which versions of transformers read different ones.
    """
    parameters, scaling = (_object(given, name) for name in ("rope_parameters", "rope_scaling"))
    if kind is not None:
        if other := parameters.keys() - _KINDS.keys():
            raise ValueError(
                f"{given.source}: rope_parameters={parameters} must hold {' and '.join(_KINDS)} alone, "
                f"not {', '.join(sorted(other))}"
            )
        parameters = _object(Given(parameters, given.source), kind)
        scaling = scaling if kind == "full_attention" else {}
        if "type" in scaling and "rope_type" not in scaling:
            raise ValueError(
                f"{given.source}: rope_scaling={scaling} names its type as versions of transformers read "
                "differently; call it rope_type"
            )
    if scaling and _meant(parameters, given) not in ({}, _meant(scaling, given)):
        raise ValueError(f"{given.source}: rope_scaling and rope_parameters differ; leave one of them out")
    found = scaling or parameters
    for name in ("partial_rotary_factor", "rotary_pct"):
        for part in (given.fields, found):
            Given(part, given.source).require(name, 1.0, None)
    base = _theta(given, found, parameters, theta, _KINDS[kind or "full_attention"])
    name = _kind(found, given)
    if name == "default":
        return Rotary(theta=base)
    if name not in _SCALED:
        raise ValueError(
            f"{given.source}: rope_type={name!r} is not supported; default, {' and '.join(_SCALED)} are"
        )
    part, values = Given(found, given.source), {}
    for theirs, ours in _SCALED[name].items():
        if theirs not in found:
            raise ValueError(f"{given.source}: rope_type={name!r} needs {theirs}, which is not there")
        values[ours] = part.get(theirs, kind=int if ours == "trained_length" else float)
    return Rotary(theta=base, **values)


def _object(given: Given, name: str) -> Mapping[str, Any]:
    """A field that is an object or says nothing."""
    found = given.fields.get(name)
    if found is not None and not isinstance(found, Mapping):
        raise ValueError(f"{given.source}: {name}={found!r} is not an object")
    return found or {}


def _kind(found: Mapping[str, Any], given: Given) -> str:
    """The way of scaling."""
    names = {found[name] for name in ("rope_type", "type") if isinstance(found.get(name), str)}
    if len(names) > 1:
        raise ValueError(f"{given.source}: rope_type and type differ: {', '.join(sorted(names))}")
    if not names and "factor" in found:
        raise ValueError(f"{given.source}: a rotary factor={found['factor']!r} needs a rope_type")
    return names.pop() if names else "default"


def _meant(found: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """What is said of scaling."""
    name = _kind(found, given)
    return {} if name == "default" else {"rope_type": name} | {k: found.get(k) for k in _SCALED.get(name, ())}


def _theta(given: Given, found: Mapping, parameters: Mapping, default: float, older: str) -> float:
    """The base of the wavelengths, which may stand in three places."""
    said = [
        Given(part, given.source).get(name, default)
        for part, name in ((found, "rope_theta"), (given.fields, older))
        if name in part
    ] or [default]
    if "rope_theta" in parameters:
        said.append(Given(parameters, given.source).get("rope_theta", default))
    if len(values := sorted(set(said))) > 1:
        told = " and ".join(f"{value:g}" for value in values)
        raise ValueError(f"{given.source}: {older} is given twice, as {told}; leave one of them out")
    return said[0]


def fields(position: Rotary) -> dict[str, Any]:
    """The fields of a position scheme, by today's name and by the two of transformers before version 5."""
    found = write(position)
    scaling = {name: value for name, value in found.items() if name != "rope_theta"}
    old = None if found["rope_type"] == "default" else scaling
    return {"rope_parameters": found, "rope_theta": position.theta, "rope_scaling": old}


def plain(position: Rotary, head_dim: int) -> Rotary:
    """The same positions, with the default of every field that makes no difference."""
    default, free = Rotary(), {}
    if position.rotary_dim == head_dim:
        free["rotary_dim"] = default.rotary_dim
    if position.factor == 1:
        free["trained_length"] = default.trained_length
    if position.factor == 1 or position.trained_length is None:
        free |= {"low": default.low, "high": default.high}
    return dataclasses.replace(position, **free)


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


def read_partial(
    given: Given, head_dim: int, *, name: str = "partial_rotary_factor", part: float = 1.0
) -> Rotary:
    """The position scheme of a file in which a part of each head's features may rotate.

    Args:
      name: of the older field beside `rope_parameters` that says which part.
      part: where the file says nothing.

    Raises:
      ValueError: as `read`, and if no or more than all features would rotate.
    """
    fields, said = dict(given.fields), []
    for key in ("rope_scaling", "rope_parameters"):
        if isinstance(fields.get(key), Mapping) and "partial_rotary_factor" in fields[key]:
            said.append(Given(fields[key], given.source).get("partial_rotary_factor", part))
            fields[key] = {k: v for k, v in fields[key].items() if k != "partial_rotary_factor"}
    if name in fields:
        said.append(given.get(name, part))
        del fields[name]
    if len(set(said)) > 1:
        told = " and ".join(f"{value:g}" for value in sorted(set(said)))
        raise ValueError(f"{given.source}: {name} is given twice, as {told}; leave one of them out")
    found = read(Given(fields, given.source, given.tensors))
    part = said[0] if said else part
    width = int(head_dim * part)
    if not 0 < width <= head_dim or width % 2:
        raise ValueError(f"{given.source}: {name}={part:g} of {head_dim} features must be even, at most all")
    return found if width == head_dim else dataclasses.replace(found, rotary_dim=width)


def partial_fields(position: Rotary, head_dim: int, *, name: str = "partial_rotary_factor") -> dict[str, Any]:
    """The fields of a position scheme in which a part of each head's features may rotate."""
    part = (position.rotary_dim or head_dim) / head_dim
    found = fields(position)
    return found | {name: part, "rope_parameters": found["rope_parameters"] | {"partial_rotary_factor": part}}
