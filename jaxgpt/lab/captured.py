"""The activations of a model that the analyses read, as typed values that may stand inside of jit."""

import dataclasses
from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Num

from jaxgpt.models import Transformer
from jaxgpt.models.structure import split
from jaxgpt.models.token_features import Features
from jaxgpt.nn.tap import recorder


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Captured:
    """Activations of a decoder on a batch of texts; L layers.

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
    # With a memory, rows also hold the weights of its slots, which are no tokens of the text.
    square = {name for name, value in seen.items() if value.shape[-2:] == 2 * (tokens.shape[1],)}
    missing = next((i for i in layers if f"decoder.{i}.attention.weights" not in square), None)
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
    model: Transformer,
    tokens: Int[Array, "B T"],
    order: Int[Array, "B T"] | None = None,
    numbers: Num[Array, "B T F"] | None = None,
) -> tuple[Float[Array, "B T _"], ...]:
    """What the first layer reads, and the output of each layer: L + 1 arrays.

    They are those of the stack that reads a text: of an encoder-decoder its encoder. The final norm, where
    there is one, and the head make the logits of the last one.

    Args:
      order: as of the model; -1 on padding.
      numbers: features of the number tokens, of a model that reads such.
    """
    return _stream(model, tokens, order, numbers)[0]


def hidden_states(
    model: Transformer,
    tokens: Int[Array, "B T"],
    order: Int[Array, "B T"] | None = None,
    numbers: Num[Array, "B T F"] | None = None,
) -> tuple[Float[Array, "B T _"], ...]:
    """The same, but the last one stands behind the final norm, as in `hidden_states` of transformers."""
    found, last = _stream(model, tokens, order, numbers)
    return (*found[:-1], last) if len(found) > 1 else found


def _stream(model: Transformer, tokens, order, numbers) -> tuple[tuple[Array, ...], Array]:
    """The stream of the stack that reads a text, and its end behind the final norm."""
    seen, tap = recorder()
    tokens = jnp.asarray(tokens)
    role, config = "decoder" if model.config.kind == "decoder" else "encoder", model.config
    if config.kind == "encoder_decoder":
        begin = jnp.zeros((len(tokens), 1), jnp.int32)  # the decoder has to read something
        nothing = None if numbers is None else jnp.zeros((len(tokens), 1, numbers.shape[-1]), numbers.dtype)
        features = Features(numbers=nothing, source_numbers=numbers)
        model(begin, source=tokens, source_order=order, features=features, tap=tap, logits_of="none")
    else:
        model(tokens, order=order, features=Features(numbers=numbers), tap=tap, logits_of="none")
    x = seen[f"{role}.embedding"]
    widen = getattr(getattr(model, role), "widen", None)
    if widen is not None:
        x = widen(x)
    if config.wiring == "reversible":  # two streams, which begin alike
        x = jnp.concatenate([x, x], axis=-1)
    found = [x]
    while (name := f"{role}.{len(found) - 1}.residual") in seen:
        found.append(seen[name])
    return tuple(found), seen.get(f"{role}.norm", found[-1])
