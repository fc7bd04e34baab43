"""One transformer block: attention, attention to a source, MLP, and where the norms stand."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from jaxgpt.nn.attention.cache import Stored
from jaxgpt.nn.attention.inputs import AttentionInputs
from jaxgpt.nn.attention.layer import Attention
from jaxgpt.nn.linear import dropout, fold
from jaxgpt.nn.mlp import MLP
from jaxgpt.nn.norm import Norm
from jaxgpt.nn.tap import Tap, below, identity


class Block(nnx.Module):
    """A residual block.

    Args:
      attention, cross, mlp: the sublayers; `cross` is None without an encoder.
      norms: one before (pre, parallel_apart) or after (post, res_post) each sublayer; the parallel wiring has
        a single one, the sandwich those before the sublayers, then those after them.
      wiring: `pre`: x + f(norm(x)) (Radford et al. 2019); `post`: norm(x + f(x)) (Vaswani et al. 2017);
        `parallel`: x + attention(n) + mlp(n) with n = norm(x) (GPT-J); `parallel_apart`: the same with a norm
        for each (Black et al. 2022, arXiv 2204.06745, section 2.1; GPT-NeoX); `res_post`: x + norm(f(x)) (Liu
        et al. 2022, arXiv 2111.09883, section 3.2; OLMo 2); `sandwich`: x + norm(f(norm(x)))
        (Ding et al. 2021, arXiv 2105.13290; Gemma 2); `reversible`: of two streams side by side, which are
        x, the first gets attention(norm(second)), then the second mlp(norm(first)) (Gomez et al. 2017, arXiv
        1707.04585; Reformer).
      rate: dropout on each sublayer's output.
    """

    def __init__(
        self,
        *,
        attention: Attention,
        cross: Attention | None,
        mlp: MLP,
        norms: list[Norm],
        wiring: str,
        rate: float,
    ):
        self.attention = attention
        self.cross = cross
        self.mlp = mlp
        self.norms = nnx.List(norms)
        self.wiring = wiring
        self.rate = rate

    def __call__(
        self,
        x: Float[Array, "B T D"],
        inputs: AttentionInputs,
        *,
        cache: Stored | None = None,
        source: Stored | None = None,
        source_mask: Bool[Array, "#B T Z"] | None = None,
        key: jax.Array | None = None,
        tap: Tap = identity,
    ) -> tuple[Float[Array, "B T D"], Stored | None]:
        """The block's output, and its cache with the new keys and values."""
        kept = None

        def attend(h):
            nonlocal kept
            tapped = below(tap, "attention")
            y, kept = self.attention(h, inputs, cache=cache, key=fold(key, 0), tap=tapped)
            return y

        def cross(h):
            tapped = below(tap, "cross_attention")
            return self.cross.cross(h, source=source, mask=source_mask, key=fold(key, 1), tap=tapped)

        def mlp(h):
            return self.mlp(h, below(tap, "mlp"))

        sublayers = [attend, *([] if self.cross is None else [cross]), mlp]
        if self.wiring == "reversible":
            first, second = jnp.split(x, 2, axis=-1)
            first = first + dropout(attend(self.norms[0](second)), self.rate, fold(key, 2))
            second = second + self.second_half(first, key=key, tap=tap)
            return tap("residual", jnp.concatenate([first, second], axis=-1)), kept
        outputs = []
        shared = self.norms[0](x) if self.wiring == "parallel" else None
        for index, sublayer in enumerate(sublayers):
            drop = fold(key, 2 + index)
            if self.wiring == "parallel":
                outputs.append(dropout(sublayer(shared), self.rate, drop))
            elif self.wiring == "parallel_apart":
                outputs.append(dropout(sublayer(self.norms[index](x)), self.rate, drop))
            elif self.wiring == "pre":
                x = x + dropout(sublayer(self.norms[index](x)), self.rate, drop)
            elif self.wiring == "res_post":
                x = x + dropout(self.norms[index](sublayer(x)), self.rate, drop)
            elif self.wiring == "sandwich":
                y = self.norms[len(sublayers) + index](sublayer(self.norms[index](x)))
                x = x + dropout(y, self.rate, drop)
            else:
                x = self.norms[index](x + dropout(sublayer(x), self.rate, drop))
        return tap("residual", sum(outputs, x)), kept

    def first_half(
        self, h: Float[Array, "B T D"], inputs: AttentionInputs, *, key: jax.Array | None
    ) -> Array:
        """What the first of two streams gets from the second."""
        y, _ = self.attention(self.norms[0](h), inputs, key=fold(key, 0))
        return dropout(y, self.rate, fold(key, 2))

    def second_half(self, h: Float[Array, "B T D"], *, key: jax.Array | None, tap: Tap = identity) -> Array:
        """What the second of two streams gets from the first."""
        return dropout(self.mlp(self.norms[1](h), below(tap, "mlp")), self.rate, fold(key, 3))
