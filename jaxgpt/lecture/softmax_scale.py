"""Why dot products are scaled: what softmax does to those of random vectors, by their width."""

import functools
import math

import jax
import jax.numpy as jnp

from jaxgpt.lecture.arm_curves import ArmCurves

#: Keys that a query meets, and queries that are drawn for each seed.
_KEYS, _QUERIES = 64, 64


def softmax_of_products(widths: tuple[int, ...], seeds: int) -> tuple[ArmCurves, ArmCurves]:
    """The entropy of softmax, and how strongly its gradient reaches the scores, over random products.

    Queries and keys are drawn from N(0, 1), so a product has the variance of its width d_k (Vaswani et al.
    2017, arXiv 1706.03762, section 3.2.1, footnote 4). The gradient is the Frobenius norm of softmax's
    Jacobian, diag(p) - p p^T.
    """
    entropy: dict[str, list] = {"scaled by 1/sqrt(d_k)": [], "not scaled": []}
    gradient: dict[str, list] = {name: [] for name in entropy}
    for width in widths:
        keys = [jax.random.split(jax.random.key(seed)) for seed in range(seeds)]
        drawn = [
            (jax.random.normal(a, (_QUERIES, width)), jax.random.normal(b, (_KEYS, width))) for a, b in keys
        ]
        for name, scale in zip(entropy, (width**-0.5, 1.0), strict=True):
            found = [measured(query @ key.T * scale) for query, key in drawn]
            entropy[name].append(tuple(float(one[0]) for one in found))
            gradient[name].append(tuple(float(one[1]) for one in found))
    curves = functools.partial(ArmCurves, "width d_k of queries and keys", widths, scale="log")
    unknown = {"all keys alike": (math.log2(_KEYS),) * len(widths)}
    entropies, gradients = (
        {name: tuple(each) for name, each in found.items()} for found in (entropy, gradient)
    )
    return (
        curves("entropy of the weights, bits", entropies, references=unknown),
        curves("norm of softmax's gradient", gradients),
    )


def measured(scores: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Means over queries of the entropy, in bits, and of the Jacobian's norm. scores: [Q, K]"""
    p = jax.nn.softmax(scores)
    entropy = -(p * jnp.log2(jnp.maximum(p, 1e-30))).sum(axis=-1)
    # |diag(p) - p p^T|^2 = sum p^2 - 2 sum p^3 + (sum p^2)^2
    squares = (p**2).sum(axis=-1)
    norm = jnp.sqrt(jnp.maximum(squares - 2 * (p**3).sum(axis=-1) + squares**2, 0.0))
    return entropy.mean(), norm.mean()
