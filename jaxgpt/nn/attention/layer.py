"""Multi-head attention with grouped queries (Vaswani et al. 2017, section 3.2; Ainslie et al. 2023)."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.attention.cache import KeyValue, Stored
from jaxgpt.nn.attention.inputs import AttentionInputs
from jaxgpt.nn.linear import Linear, WeightSpec, dropout, fold, read
from jaxgpt.nn.norm import Norm
from jaxgpt.nn.tap import Tap, below, identity

#: Finite, so that a row without any key gives a mean instead of NaN.
HIDDEN = -1e30


class Attention(nnx.Module):
    """softmax(factor * (scale * q k^T + bias)) v, with a mask, a position scheme and a cache.

    The position scheme may own weights of each layer (`Position.layer_tables`); they are kept here.

    Args:
      config: with every field resolved but `scale`, whose None means head_dim^-1/2. Its `qk_norm_over` is
        `head`: each head's for itself (Henry et al. 2020, arXiv 2010.04245), or `all`: those of all heads as
        one (Dehghani et al. 2023, arXiv 2302.05442, section 2; OLMo 2). Its `softcap` squashes scores to
        softcap * tanh(scores / softcap) (Gemma 2, arXiv 2408.00118, section 2).
      qk_norms: norms of queries and of keys, before they are rotated; where the config has `qk_norm`.
      tables: weights of the position scheme for this layer.
      shared_keys: there is no key map; keys are the queries (Reformer).
      sees_all: there are second maps for tokens that see all (Longformer).
    """

    def __init__(
        self,
        config: AttentionConfig,
        d_model: int,
        num_heads: int,
        *,
        qk_norms: tuple[Norm, Norm] | None = None,
        tables: dict[str, nnx.Param] | None = None,
        shared_keys: bool = False,
        sees_all: bool = False,
        weights: WeightSpec,
        rngs: nnx.Rngs,
    ):
        embed, heads = {"embed": d_model}, {"heads": num_heads, "head": config.head_dim}
        groups = {"kv_heads": config.num_kv_heads, "head": config.head_dim}

        def linear(inputs, outputs, *, gain=1.0, bias=config.bias):
            types = {"dtype": weights.dtype, "param_dtype": weights.param_dtype, "rngs": rngs}
            return Linear(inputs, outputs, std=weights.std, gain=gain, bias=bias, **types)

        self.query = linear(embed, heads)
        self.key = None if shared_keys else linear(embed, groups)
        self.value = linear(embed, groups)
        second = nnx.Dict()
        for name, outputs in (("query", heads), ("key", groups), ("value", groups)) if sees_all else ():
            second[name] = linear(embed, outputs)
        self.second = second
        self.out = linear(heads, embed, gain=weights.out_gain, bias=config.out_bias)
        self.scale = config.head_dim**-0.5 if config.scale is None else config.scale
        self.factor = config.factor
        self.softcap = config.softcap
        self.query_norm, self.key_norm = qk_norms or (None, None)
        self.qk_norm_over = config.qk_norm_over
        self.tables = nnx.Dict(tables or {})
        self.dropout = config.dropout

    def project(self, x: Float[Array, "B S D"]) -> KeyValue:
        """Keys and values of x; an encoder's are computed once and kept."""
        key = self.query(x) if self.key is None else self.key(x)
        return KeyValue(self._normed(self.key_norm, key), self.value(x))

    def __call__(
        self,
        x: Float[Array, "B T D"],
        inputs: AttentionInputs,
        *,
        cache: Stored | None = None,
        key: jax.Array | None = None,
        tap: Tap = identity,
    ) -> tuple[Float[Array, "B T D"], Stored | None]:
        """Self-attention, and the cache with this call's keys and values."""
        position, q_positions, k_positions = inputs.position, inputs.q_positions, inputs.k_positions
        params = inputs.params | read(self.tables)
        q, new = self._queries(x), self.project(x)
        rotated_q, rotated_k = position.rotate(params, q, new.key, q_positions, q_positions)
        new = KeyValue(rotated_k, new.value)
        if cache is not None:
            cache = cache.write(new, inputs.at)
            new = cache.view()
        bias = partial(position.bias, params)
        if inputs.pattern is not None:
            return inputs.pattern.attend(self, x, rotated_q, new, bias, key, tap), cache
        added = bias(rotated_q, new.key, q_positions, k_positions)
        kv = new if cache is None else cache
        return self.attend(rotated_q, kv=kv, mask=inputs.mask, bias=added, key=key, tap=tap), cache

    def cross(
        self,
        x: Float[Array, "B T D"],
        *,
        source: Stored,
        mask: Bool[Array, "#B T S"],
        key: jax.Array | None = None,
        tap: Tap = identity,
    ) -> Float[Array, "B T D"]:
        """Attention to an encoder's output, of which `project` made keys and values."""
        return self.attend(self._queries(x), kv=source, mask=mask, key=key, tap=tap)

    def attend_globally(
        self,
        chosen: Float[Array, "B G D"],
        *,
        x: Float[Array, "B T D"],
        mask: Bool[Array, "B G T"],
        key: jax.Array | None = None,
        tap: Tap = identity,
    ) -> Float[Array, "B G D"]:
        """Attention of some tokens to all of `x`, by the second maps."""
        kv = KeyValue(self.second["key"](x), self.second["value"](x))
        q, tap = self.second["query"](chosen), below(tap, "global")
        return self.attend(q, kv=kv, mask=mask, key=fold(key, 1), tap=tap)

    def _queries(self, x):
        return self._normed(self.query_norm, self.query(x))

    def _normed(self, norm, x):
        if norm is None or self.qk_norm_over == "head":
            return x if norm is None else norm(x)
        return norm(x.reshape(*x.shape[:-2], -1)).reshape(x.shape)

    def attend(
        self,
        q: Float[Array, "B T H K"],
        *,
        kv: KeyValue | Stored,
        mask: Bool[Array, "#B T S"],
        bias: Float[Array, "#B H T S"] | None = None,
        key: jax.Array | None = None,
        tap: Tap = identity,
    ) -> Float[Array, "B T D"]:
        """The output for queries and keys as they enter the product."""
        if tap is not identity:
            kv = kv.view() if isinstance(kv, Stored) else kv
            q, kv = tap("query", q), KeyValue(tap("key", kv.key), tap("value", kv.value))
        scores = kv.scores(q) * self.scale
        if bias is not None:
            scores = scores + bias.astype(scores.dtype)
        if self.softcap is not None:
            scores = self.softcap * jnp.tanh(scores / self.softcap)
        if self.factor != 1:
            scores = scores * self.factor
        scores = tap("scores", jnp.where(mask[:, None], scores, HIDDEN))
        weights = tap("weights", jax.nn.softmax(scores, axis=-1))
        mixed = kv.mix(dropout(weights, self.dropout, key).astype(q.dtype))
        return tap("output", self.out(tap("mixed", mixed)))
