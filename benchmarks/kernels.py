"""What a GPU computes in another way, against the plain reference beside it: `python benchmarks/kernels.py`.

In the sizes of one step of GPT-2's 124M parameters (batch 8, context 1024), forwards and backwards; of the
sum of exponentials forwards alone, since the loss has a gradient of its own.
"""

import time

import jax
import jax.numpy as jnp
from alternate import Side, options, write

from jaxgpt.core import settings
from jaxgpt.nn.kernels import log_sum, standardized, wide_matmul

#: Name -> ours, the plain reference, shapes and types of what they take.
KERNELS = {
    "log_sum": (log_sum.log_sum, log_sum.reference, [((1024, 50257), jnp.float32)]),
    "wide_matmul": (
        wide_matmul.wide_matmul,
        wide_matmul.reference,
        [((1024, 768), jnp.bfloat16), ((768, 50257), jnp.bfloat16)],
    ),
    "standardized": (
        lambda x: standardized.standardized(True, 1e-5, x),
        lambda x: standardized.reference(True, 1e-5, x),
        [((8192, 768), jnp.float32)],
    ),
}


def main():
    """Print the table and keep it."""
    given = options(__doc__, rounds=15).parse_args()
    settings.apply()
    rows = []
    print(f"{'kernel':<15}{'ours ms':>10}{'plain ms':>10}{'ratio':>8}")
    for name, (ours, plain, inputs) in KERNELS.items():
        arrays = [jax.random.normal(jax.random.key(i), *of) for i, of in enumerate(inputs)]
        backwards = name != "log_sum"
        works, times = [timed(side, arrays, backwards) for side in (ours, plain)], ([], [])
        for _ in range(given.rounds):
            for work, seconds in zip(works, times, strict=True):
                began = time.perf_counter()
                work()
                seconds.append(time.perf_counter() - began)
        one, other = (Side(name, {}, tuple(seconds)) for seconds in times)
        rows.append({"kernel": name, "ms": 1e3 * one.median, "plain_ms": 1e3 * other.median})
        rows[-1] |= {"spread": one.spread, "ratio": one.over(other)}
        print(f"{name:<15}{rows[-1]['ms']:>10.2f}{rows[-1]['plain_ms']:>10.2f}{rows[-1]['ratio']:>8.2f}")
    if not given.no_write:
        print(f"written: {write('kernels', rows, add=given.add)}")


def timed(function, arrays, backwards):
    """A round of the function, and of its gradients, compiled."""
    slope = jax.random.normal(jax.random.key(9), jax.eval_shape(function, *arrays).shape)

    @jax.jit
    def both(slope, *arrays):
        value, pull = jax.vjp(function, *arrays)
        return value.sum(), *pull(slope.astype(value.dtype))

    call = both if backwards else jax.jit(lambda slope, *arrays: function(*arrays))

    def work():
        jax.block_until_ready(call(slope, *arrays))

    work()
    return work


if __name__ == "__main__":
    main()
