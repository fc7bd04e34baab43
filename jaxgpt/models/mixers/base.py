"""What a mixer is: how the tokens of a model exchange information."""

import dataclasses
from typing import TYPE_CHECKING, ClassVar, Literal

from flax import nnx

from jaxgpt.core import nested
from jaxgpt.core.choice import Choice
from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.position.rotary import Rotary

if TYPE_CHECKING:
    from jaxgpt.models.config import ModelConfig

#: How attention is computed: by a kernel that never holds the scores, by products and a softmax, not at all.
Computed = Literal["one kernel", "written out", "none"]
#: Fields of `ModelConfig.attention` that say how scores are made.
_SCORES = ("maps", "scale", "softcap", "qk_norm", "factor")


@dataclasses.dataclass(frozen=True)
class Mixer(Choice, package="jaxgpt.models.mixers"):
    """How tokens exchange information.

    A member defines `build`. The defaults of the other hooks are right for one without attention.
    """

    #: The kinds of model that it can be in.
    kinds: ClassVar[tuple[str, ...]] = ("decoder",)
    #: Whether it has `num_layers` layers; without them that field must be 1.
    layered: ClassVar[bool] = True

    def build(self, config: "ModelConfig", role: str, rngs: nnx.Rngs) -> nnx.Module:
        """An encoder or a decoder, as `role` says, called as `jaxgpt.models.stack.Stack` is.

        `jaxgpt.models.state_stack.StateStack` is one around layers that hand a state from token to token.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no build")

    def check(self, config: "ModelConfig") -> None:
        """Raises ValueError for a kind of model that it cannot be in, or what only attention does.

        Sizes, biases and dropout of parts that it lacks, such as `num_heads` and `d_ff`, are neither read nor
        refused, so that a model keeps them when its mixer is exchanged. Nor are the default rotary positions.
        """
        if config.kind not in self.kinds:
            raise ValueError(f"mixer={self.kind()} needs kind={' or '.join(self.kinds)}, not {config.kind}")
        plain = {
            "window": config.window is None,
            **{name: getattr(config, name) is None for name in ("sparse", "memory")},
            "embedding.width": config.embedding.width is None,
            "loops": config.loops == 1,
            "layers": config.layers == "unrolled",
            "remat": config.remat == "none",
            "embedding.norm": not config.embedding.norm,
            "window_layers": not config.window_layers,
            "wiring": config.wiring == "pre",
            **{name: getattr(config, name) is None for name in ("encoder_heads", "encoder_d_ff")},
        }
        default = AttentionConfig()
        for name in _SCORES:
            plain[f"attention.{name}"] = getattr(config.attention, name) == getattr(default, name)
        wrong = [f"{name}={nested.value(config, name)}" for name, fits in plain.items() if not fits]
        if wrong:
            raise ValueError(f"mixer={self.kind()} does not go with {', '.join(wrong)}; leave the default")
        position = config.position
        if position.in_attention and position != Rotary():
            raise ValueError(
                f"mixer={self.kind()} does not go with position={type(position).kind()}, which acts on "
                "queries and keys; use learned, another scheme of vectors, or none"
            )
        layers = config.num_layers
        if not self.layered and layers != 1:
            raise ValueError(f"num_layers={layers}: mixer={self.kind()} repeats no layer; set num_layers=1")

    def unpackable(self, config: "ModelConfig") -> str:
        """Why its decoder cannot read rows of several documents, with the way out; "" if it can."""
        return f"mixer={self.kind()} reads a row as one text; only mixer=attention tells documents apart"

    def flops(self, config: "ModelConfig", *, tokens: int, source: int) -> int:
        """Of training on one example, beside the products with weights: queries with keys, and with values.

        Args:
          tokens: that the decoder reads, padding included; those of an encoder that stands alone.
          source: that the encoder of an encoder-decoder reads.
        """
        return 0

    def formula(self, config: "ModelConfig") -> str:
        """What `flops` counts for all tokens of a training, in words."""
        return "what the mixer computes beside"

    def attention(self, config: "ModelConfig") -> Computed:
        """How the self-attention of a plain layer is computed on the device that computes by default."""
        return "none"
