"""Multi-head attention with grouped queries (Vaswani et al. 2017, section 3.2; Ainslie et al. 2023)."""

import dataclasses

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.attention.banded import Band, at_places, banded
from jaxgpt.nn.attention.cache import KeyValue, Stored
from jaxgpt.nn.attention.dense import dense, weighted
from jaxgpt.nn.attention.hashed import Hashes, hashed
from jaxgpt.nn.attention.inputs import AttentionInputs
from jaxgpt.nn.kernels.fused import Triangle, fused
from jaxgpt.nn.linear import Linear, WeightSpec, fold, read
from jaxgpt.nn.norm import Norm
from jaxgpt.nn.tap import Tap, below, identity

#: How attention is computed, by what says which keys the queries see; `dense` of a mask.
WAYS = {Band: banded, Hashes: hashed, Triangle: fused}


class InHeads(nnx.Module):
    """A token's vector cut into heads, without weights."""

    def __init__(self, num_heads: int):
        self.num_heads = num_heads

    def __call__(self, x: Float[Array, "*B D"]) -> Float[Array, "*B H K"]:
        return x.reshape(*x.shape[:-1], self.num_heads, -1)


class Joined(nnx.Module):
    """The heads of a token side by side, without weights."""

    def __call__(self, x: Float[Array, "*B H K"]) -> Float[Array, "*B D"]:
        return x.reshape(*x.shape[:-2], -1)


class Attention(nnx.Module):
    """softmax(factor * (scale * q k^T + bias)) v, with a mask, a position scheme and a cache.

    The position scheme may own weights of each layer (`Position.layer_tables`); they are kept here.

    Args:
      config: with every field resolved but `scale`, whose None means head_dim^-1/2. Without `maps` a token's
        vector is query, key and value at once. Its `qk_norm_over` is
        `head`: each head's for itself (Henry et al. 2020, arXiv 2010.04245), or `all`: those of all heads as
        one (Dehghani et al. 2023, arXiv 2302.05442, section 2; OLMo 2). Its `softcap` squashes scores to
        softcap * tanh(scores / softcap) (Gemma 2, arXiv 2408.00118, section 2).
      qk_norms: norms of queries and of keys, before they are rotated; where the config has `qk_norm`.
      tables: weights of the position scheme for this layer.
      shared_keys: there is no key map; keys are the queries (Reformer).
      sees_all: there are second maps for tokens that see all (Longformer); norms and positions are the same.
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

        if config.maps == "none":
            self.query = self.key = self.value = InHeads(num_heads)
            self.out = Joined()
        else:
            self.query = linear(embed, heads)
            self.key = None if shared_keys else linear(embed, groups)
            self.value = linear(embed, groups)
            self.out = linear(heads, embed, gain=weights.out_gain, bias=config.out_bias)
        second = nnx.Dict()
        for name, outputs in (("query", heads), ("key", groups), ("value", groups)) if sees_all else ():
            second[name] = linear(embed, outputs)
        self.second = second
        self.config = config
        self.query_norm, self.key_norm = qk_norms or (None, None)
        self.tables = nnx.Dict(tables or {})

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
        x = tap("input", x)
        inputs = dataclasses.replace(inputs, params=inputs.params | read(self.tables))
        q, new = self._queries(x), self.project(x)
        places = inputs.q_positions
        q, rotated = inputs.position.rotate(inputs.params, q, new.key, places, places)
        kv = KeyValue(rotated, new.value)
        attend = WAYS.get(type(inputs.sees), dense)
        if cache is not None:
            cache = cache.write(kv, inputs.at)
            kv = cache if attend is dense else cache.view()
        y = self._out(attend(q, kv, inputs, key=key, tap=tap), tap)
        if isinstance(inputs.sees, Band) and inputs.sees.global_tokens is not None:
            y = self._with_global(y, x, inputs, key, tap)
        return y, cache

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
        x = tap("input", x)
        return self._out(weighted(self._queries(x), source, mask, config=self.config, key=key, tap=tap), tap)

    def _with_global(self, y, x, inputs: AttentionInputs, key, tap):
        """`y` with the outputs of tokens that see all, which they do by the second maps."""
        places, tap = inputs.sees.global_tokens, below(tap, "global")
        mask = (places >= 0)[:, :, None] & (inputs.sees.order[:, : x.shape[1]] >= 0)[:, None, :]
        positions = jnp.broadcast_to(inputs.q_positions, x.shape[:2])
        own = dataclasses.replace(inputs, sees=mask, q_positions=at_places(positions, places))
        q = self._normed(self.query_norm, self.second["query"](at_places(x, places)))
        k = self._normed(self.key_norm, self.second["key"](x))
        q, k = own.position.rotate(own.params, q, k, own.q_positions, positions)
        kv = KeyValue(k, self.second["value"](x))
        seen = self._out(dense(q, kv, own, key=fold(key, 1), tap=tap), tap)
        rows, at = jnp.arange(y.shape[0])[:, None], jnp.where(places >= 0, places, y.shape[1])
        return y.at[rows, at].set(seen, mode="drop")

    def _out(self, mixed, tap):
        return tap("output", self.out(tap("mixed", mixed)))

    def _queries(self, x):
        return self._normed(self.query_norm, self.query(x))

    def _normed(self, norm, x):
        if norm is None or self.config.qk_norm_over == "head":
            return x if norm is None else norm(x)
        return norm(x.reshape(*x.shape[:-2], -1)).reshape(x.shape)
