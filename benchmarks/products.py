"""Products of bfloat16 and their gradients, ours against JAX's own: `python benchmarks/products.py`.

The products of one layer of the 10.7M-parameter model (batch 8, context 256), each with both gradients.
On a CPU `jaxgpt/nn/kernels/product.py` gives them the form that XLA has matrix units for; elsewhere both
sides are the same.
"""

import functools
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
from alternate import Side, options, write
from jax import lax

from jaxgpt.core import settings
from jaxgpt.nn.kernels.product import product

#: Dimensions of both operands, how many of them are shared, and how many are summed.
SHAPES = {
    "to heads": ((8, 256, 384), (384, 6, 64), 0, 1),
    "to the hidden layer": ((8, 256, 384), (384, 1536), 0, 1),
    "from it": ((8, 256, 1536), (1536, 384), 0, 1),
    "queries and keys": ((8, 6, 256, 64), (8, 6, 64, 256), 2, 1),
    "weights and values": ((8, 6, 256, 256), (8, 6, 256, 64), 2, 1),
}
#: Products in one call, itself and two gradients; calls a round.
_PRODUCTS, _REPEATS = 3, 4


def main():
    """Print the table and keep it."""
    given = options(__doc__, rounds=15).parse_args()
    settings.apply()
    rows = []
    print(f"{'what':<22}{'side':<10}{'GFLOP/s':>9} {'spread':>7}{'ratio':>8}")
    for what, (a_shape, b_shape, shared, summed) in SHAPES.items():
        a, b = (jax.random.normal(jax.random.key(0), shape, jnp.bfloat16) for shape in (a_shape, b_shape))
        dims = {"shared": shared, "summed": summed}
        both = {
            "ours": functools.partial(product, **dims),
            "JAX's own": functools.partial(plain, **dims),
        }
        works = {name: timed(a, b, function) for name, function in both.items()}
        times = {name: [] for name in works}
        for _ in range(given.rounds):
            for name, work in works.items():
                began = time.perf_counter()
                work()
                times[name].append(time.perf_counter() - began)
        sides = {name: Side(name, {}, tuple(found)) for name, found in times.items()}
        operations = _PRODUCTS * _REPEATS * 2 * a.size * int(np.prod(b_shape[shared + summed :]))
        for side in sides.values():
            found = {"what": what, "side": side.name, "gflops": operations / side.median / 1e9}
            rows.append(found | {"spread": side.spread, "ratio": sides["ours"].over(side)})
            print(
                f"{what:<22}{side.name:<10}{found['gflops']:>9,.0f} {side.spread:>7.1%}"
                f"{rows[-1]['ratio']:>8.2f}",
                flush=True,
            )
    ratios = [row["ratio"] for row in rows if row["side"] != "ours"]
    print(f"ours is faster by {statistics.median(ratios):.2f}, in the middle")
    if not given.no_write:
        print(f"written: {write('products', rows, add=given.add)}")


def plain(a: jax.Array, b: jax.Array, *, shared: int, summed: int) -> jax.Array:
    """The same product, of which JAX makes the gradients."""
    batch = tuple(range(shared))
    last, first = tuple(range(a.ndim - summed, a.ndim)), tuple(range(shared, shared + summed))
    return lax.dot_general(a, b, ((last, first), (batch, batch)))


def timed(a: jax.Array, b: jax.Array, function):
    """A round of the product and its gradients, compiled."""
    slope = jax.random.normal(jax.random.key(1), jax.eval_shape(function, a, b).shape, a.dtype)

    @jax.jit
    def both(a, b, slope):
        value, pull = jax.vjp(function, a, b)
        return value, *pull(slope)

    def work():
        for _ in range(_REPEATS):
            jax.block_until_ready(both(a, b, slope))

    work()
    return work


if __name__ == "__main__":
    main()
