"""`config.json` read and written: which of its fields is which of ours, and what is refused."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from jaxgpt.core import nested
from jaxgpt.models.config import ModelConfig

#: Their names of activation functions.
ACTIVATIONS = {
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu": "gelu",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}
#: The same of the gated ones, which they call by the function of the gate.
GATED = {"gelu_pytorch_tanh": "geglu_tanh", "gelu_new": "geglu_tanh", "gelu": "geglu", "silu": "swiglu"}


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of `config.json` that is one of ours.

    Attributes:
      default: what its absence means in transformers.
      values: their values and ours, where they differ; the first of several is written.
      kind: its type; that of the default, or an integer where that is None.
      nullable: whether `null` says something; it is always allowed where the default is None.
    """

    theirs: str
    ours: str
    default: Any = None
    values: Mapping[Any, Any] | None = None
    kind: type | None = None
    nullable: bool = False


class Given:
    """The fields of a `config.json`, and the shapes of the tensors beside it.

    Args:
      source: what they are called in messages.
      tensors: by their names without the base model's prefix.
    """

    def __init__(
        self, fields: Mapping[str, Any], source: str, tensors: Mapping[str, tuple[int, ...]] | None = None
    ):
        self.fields = fields
        self.source = source
        self.tensors = tensors or {}

    def get(self, name: str, default: Any = None, *, kind: type | None = None, nullable: bool = False) -> Any:
        """A field; arguments as of `Field`.

        Raises:
          ValueError: if it has another type.
        """
        value = self.fields.get(name, default)
        kind = kind or (int if default is None else type(default))
        if value is None and (default is None or nullable):
            return None
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise ValueError(f"{self.source}: {name}={value!r} is not of type {kind.__name__}")
        return value

    @property
    def architecture(self) -> str:
        """The class of transformers that wrote the model; "" where the file does not say."""
        told = self.fields.get("architectures")
        known = isinstance(told, list) and told and isinstance(told[0], str)
        return told[0] if known else ""

    def label_names(self, count: int) -> tuple[str, ...]:
        """The names in `id2label`; empty unless each of `count` labels has a name of its own."""
        told = self.fields.get("id2label")
        if not isinstance(told, dict) or len(told) != count:
            return ()
        names = tuple(told.get(str(i)) for i in range(count))
        own = all(isinstance(name, str) and name != f"LABEL_{i}" for i, name in enumerate(names))
        return names if own and len(set(names)) == count else ()

    def require(self, name: str, *allowed: Any) -> None:
        """Raises ValueError if a field is there and has none of the values that are supported.

        The first is that of an absent field; a flag that is false may be null.
        """
        value = self.fields.get(name, allowed[0])
        off = value is None and allowed[0] is False
        if not off and not any(value == one and type(value) in (type(one), int) for one in allowed):
            known = " or ".join(map(str, allowed))
            raise ValueError(f"{self.source}: {name}={value!r} is not supported; only {known} is")

    def read(self, fields: Iterable[Field]) -> dict[str, Any]:
        """Ours for theirs.

        Raises:
          ValueError: for a value of another type, or one that has no counterpart.
        """
        found = {}
        for field in fields:
            value = self.get(field.theirs, field.default, kind=field.kind, nullable=field.nullable)
            if field.ours in ("num_layers", "encoder_layers"):
                self.check_layers(field.theirs, value)
            if field.values is not None:
                if value not in field.values:
                    known = ", ".join(map(str, field.values))
                    raise ValueError(
                        f"{self.source}: {field.theirs}={value!r} is not supported; known: {known}"
                    )
                value = field.values[value]
            found[field.ours] = value
        return found

    def check_layers(self, name: str, value: int | None) -> None:
        """Raises ValueError, before any layer is made, if there are more than tensors."""
        if value is not None and self.tensors and value > len(self.tensors):
            raise ValueError(
                f"{self.source}: {name}={value:.3g}, and the files hold {len(self.tensors)} tensors"
            )


def written(fields: Iterable[Field], config: ModelConfig) -> dict[str, Any]:
    """Theirs for ours.

    Raises:
      ValueError: for a value that has no counterpart.
    """
    found = {}
    for field in fields:
        value = nested.value(config, field.ours)
        if value is None and field.default is not None and not field.nullable:
            value = _filled(config, field.ours)
            if value is None:
                continue  # theirs is as good as any
        if field.values is not None:
            names = [theirs for theirs, ours in field.values.items() if ours == value]
            if not names:
                known = ", ".join(map(str, dict.fromkeys(field.values.values())))
                raise ValueError(f"{field.ours}={value} has no {field.theirs}; known: {known}")
            value = names[0]
        found[field.theirs] = value
    return found


def windowed(config: ModelConfig) -> list[bool]:
    """Which layers have a window."""
    pattern = config.window_layers or (config.window is not None,)
    return [pattern[i % len(pattern)] for i in range(config.num_layers)]


def _filled(config: ModelConfig, name: str) -> Any:
    """What stands for no value in a field of ours."""
    return {
        "attention.dropout": config.dropout,
        "attention.num_kv_heads": config.num_heads,
        "attention.head_dim": config.resolved_head_dim,
        "d_ff": config.resolved_d_ff,
        "encoder_layers": config.num_encoder_layers,
        "encoder_heads": config.num_heads,
        "encoder_d_ff": config.resolved_d_ff,
        "embedding.width": config.resolved_embedding_width,
        "loop_blocks": config.num_layers,
    }.get(name)
