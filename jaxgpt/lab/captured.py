"""The activations of a decoder that the analyses read, as one typed value that may stand inside of jit."""

import dataclasses
from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgpt.models import Transformer
from jaxgpt.models.structure import split
from jaxgpt.nn.tap import recorder


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Captured:
    """Activations of a batch of texts; L layers.

    Attributes:
      embedding: the input of the first layer, positions added. [B, T, D]
      inputs: what each layer's attention reads, behind the norm where it has one before. L of [B, T, D]
      weights: how much each query looks at each key. L of [B, H, T, T]
      residuals: the output of each layer. L of [B, T, D]
      logits: [B, T, V]
    """

    embedding: Float[Array, "B T D"]
    inputs: tuple[Float[Array, "B T D"], ...]
    weights: tuple[Float[Array, "B H T T"], ...]
    residuals: tuple[Float[Array, "B T D"], ...]
    logits: Float[Array, "B T V"]


def capture(
    model: Transformer, tokens: Int[Array, "B T"], added: Mapping[str, Array] | None = None
) -> Captured:
    """Read texts and keep the activations.

    Args:
      added: to activations by their names (`jaxgpt.nn.tap`); the derivative by what is added, at zero, is the
        one by the activation.

    Raises:
      ValueError: if a layer has no attention, or one that never holds its weights.
    """
    seen, record = recorder()
    added = added or {}

    def tap(name: str, value: Array) -> Array:
        return record(name, value + added[name] if name in added else value)

    logits = model(jnp.asarray(tokens), tap=tap).logits
    layers = range(model.config.num_layers * model.config.loops)
    missing = next((i for i in layers if f"decoder.{i}.attention.weights" not in seen), None)
    if missing is not None:
        raise ValueError(f"layer {missing} has no attention whose weights could be read; use full attention")
    return Captured(
        seen["decoder.embedding"],
        tuple(seen[f"decoder.{i}.attention.input"] for i in layers),
        tuple(seen[f"decoder.{i}.attention.weights"] for i in layers),
        tuple(seen[f"decoder.{i}.residual"] for i in layers),
        logits,
    )


def has_weights(model: Transformer) -> bool:
    """Whether a model is a decoder whose layers all hold attention weights, as `capture` needs."""
    if model.config.kind != "decoder":
        return False
    structure, weights = split(model)
    token = jax.ShapeDtypeStruct((1, 1), jnp.int32)
    try:
        jax.eval_shape(lambda weights, tokens: capture(structure.model(weights), tokens), weights, token)
    except ValueError:
        return False
    return True


def stream(
    model: Transformer, tokens: Int[Array, "B T"], order: Int[Array, "B T"] | None = None
) -> tuple[Float[Array, "B T _"], ...]:
    """What the first layer of a decoder reads, and the output of each layer: L + 1 arrays.

    The final norm and the head make the logits of the last one.

    Args:
      order: as of the model; -1 on padding.
    """
    seen, tap = recorder()
    model(jnp.asarray(tokens), order=order, tap=tap)
    x = seen["decoder.embedding"]
    widen = getattr(model.decoder, "widen", None)
    if widen is not None:
        x = widen(x)
    if model.config.wiring == "reversible":  # two streams, which begin alike
        x = jnp.concatenate([x, x], axis=-1)
    found = [x]
    while (name := f"decoder.{len(found) - 1}.residual") in seen:
        found.append(seen[name])
    return tuple(found)
