"""Rare words in narrow vectors, and the softmax that goes with them.

Input: Baevski & Auli 2019, arXiv 1809.10853; softmax: Grave et al. 2017, arXiv 1609.04309.
"""

from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxgpt.nn.kernels.wide_matmul import wide_matmul
from jaxgpt.nn.linear import constant, normal


class AdaptiveEmbedding(nnx.Module):
    """Ids in clusters, the frequent ones first; cluster k has vectors of width D / factor^k and a map to D.

    Its softmax chooses among the words of the first cluster and the other clusters, and then within the
    cluster: `attend` gives logarithms of probabilities. All vectors and, but for the first cluster's, all
    maps are those of the input; biases, the clusters' own vectors and the first map are not.

    Args:
      cutoffs: the first id of each cluster but the first.
      factor: 1 means that all vectors have width D, without maps.
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        *,
        cutoffs: tuple[int, ...],
        factor: int,
        std: float,
        dtype,
        param_dtype,
        rngs: nnx.Rngs,
    ):
        self.ends = (0, *cutoffs, vocab_size)
        widths = [d_model // factor**k for k in range(len(cutoffs) + 1)]
        sizes = [b - a for a, b in pairwise(self.ends)]

        def drawn(*shape, axes):
            return normal(rngs.params(), shape, std, axes, param_dtype)

        pairs = [(vocab_size, d_model)] if factor == 1 else list(zip(sizes, widths, strict=True))
        self.tables = nnx.List([drawn(n, w, axes=("vocab", None)) for n, w in pairs])
        maps = widths if factor > 1 else []
        self.maps = nnx.List([drawn(w, d_model, axes=(None, "embed")) for w in maps])
        self.out_map = drawn(widths[0], d_model, axes=(None, "embed")) if maps else None
        self.biases = nnx.List([constant(0.0, (n,), ("vocab",), param_dtype) for n, _ in pairs])
        count = len(cutoffs)
        self.clusters = drawn(count, d_model, axes=(None, None)) if count else None
        self.cluster_bias = constant(0.0, (count,), (None,), param_dtype) if count else None
        self.dtype = jnp.dtype(dtype)

    def __call__(self, tokens: Int[Array, "B T"]) -> Float[Array, "B T D"]:
        if not self.maps:
            return self._kept(self.tables[0])[tokens]
        found = 0
        for k, (first, end) in enumerate(pairwise(self.ends)):
            inside = (tokens >= first) & (tokens < end)
            vectors = self._kept(self.tables[k])[jnp.clip(tokens - first, 0, end - first - 1)]
            found = found + jnp.where(inside[..., None], vectors @ self._kept(self.maps[k]), 0)
        return found

    def attend(self, x: Float[Array, "B T D"]) -> Float[Array, "B T V"]:
        """log p of every id."""
        first = self._logits(x, 0)
        if self.clusters is not None:
            h = x @ self._kept(self.out_map).T if self.maps else x
            more = wide_matmul(h, self._kept(self.clusters).T)
            first = jnp.concatenate([first, more + self.cluster_bias[...].astype(more.dtype)], axis=-1)
        chosen = jax.nn.log_softmax(first, axis=-1)
        parts = [chosen[..., : self.ends[1]]]
        for k in range(1, len(self.ends) - 1):
            cluster = chosen[..., self.ends[1] + k - 1, None]
            parts.append(cluster + jax.nn.log_softmax(self._logits(x, k), axis=-1))
        return jnp.concatenate(parts, axis=-1)

    def _logits(self, x, k: int):
        """Of the words of cluster k."""
        if self.maps:
            x = x @ self._kept(self.out_map if k == 0 else self.maps[k]).T
            table, bias = self._kept(self.tables[k]), self.biases[k][...]
        else:
            part = slice(self.ends[k], self.ends[k + 1])
            table, bias = self._kept(self.tables[0])[part], self.biases[0][...][part]
        logits = wide_matmul(x, table.T)
        return logits + bias.astype(logits.dtype)

    def _kept(self, parameter: nnx.Param) -> Array:
        return parameter[...].astype(self.dtype)
