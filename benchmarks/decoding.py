"""Decoding against transformers: `python benchmarks/decoding.py` (pip install 'jaxgpt[transformers]').

Random weights of GPT-2's shape, greedy, the same number of new tokens behind the same short prompt on every
side, in turns. The peers are transformers' GPT-2 with its cache, the same with a static cache and compiled,
and a loop that reads the whole text again for each token, as nanoGPT's does. `first` is the time to the
first token; `bandwidth` is the weights read once a token and step, as a share of what the device copies.
"""

import argparse
import time

import numpy as np
from alternate import Side, alternate, options, serve, write

#: Sizes by name: layers, width, heads, vocabulary, context and new tokens a round.
SIZES = {
    "tiny": (4, 128, 4, 65, 512, 256),
    "baby": (6, 384, 6, 65, 512, 256),
    "gpt2": (12, 768, 12, 50257, 512, 64),
    "gpt2-xl": (48, 1600, 25, 50257, 512, 16),
}
SIDES = ("jaxgpt", "cached", "static", "no-cache")
BATCHES = (1, 16, 64, 256)
_PROMPT = 8
_COPIES = 20
#: A loop without a cache would take minutes with many rows.
_MOST_ROWS_WITHOUT_CACHE = 1


def main():
    """Print the table and keep it."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--sizes", default="tiny,baby", help=f"of {', '.join(SIZES)}")
    parser.add_argument("--batches", default=",".join(map(str, BATCHES)))
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--sides", default=",".join(SIDES))
    parser.add_argument("--new", type=int, help="new tokens a round; default: by size")
    parser.add_argument("--size", help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        prepare = ours if given.side == "jaxgpt" else theirs
        size = (*SIZES[given.size][:-1], given.new)
        serve(lambda: prepare(given.side, size, given.batch, given.dtype))
        return
    rows = []
    print(
        f"{'size':<9}{'batch':>5}  {'side':<10}{'tokens/s':>10} {'spread':>7}{'ratio':>8}{'first':>10}",
        end="",
    )
    print(f"{'bandwidth':>11}{'peak MiB':>10}")
    for size in given.sizes.split(","):
        for batch in map(int, given.batches.split(",")):
            names = [
                name
                for name in given.sides.split(",")
                if name != "no-cache" or batch <= _MOST_ROWS_WITHOUT_CACHE
            ]
            new = given.new or SIZES[size][-1]
            arguments = ["--size", size, "--batch", str(batch), "--dtype", given.dtype, "--new", str(new)]
            sides = alternate(
                __file__, names, rounds=given.rounds, arguments=arguments, together=given.together
            )
            rows += [row(size, batch, given.dtype, new, side, sides["jaxgpt"]) for side in sides.values()]
            for found in rows[-len(sides) :]:
                show(found)
    if not given.no_write:
        print(f"written: {write('decoding', rows, add=given.add)}")


def row(size: str, batch: int, dtype: str, count: int, side: Side, ours: Side) -> dict:
    """What is kept of a side; `ratio` is how many times as fast ours is."""
    found = {"size": size, "batch": batch, "dtype": dtype, "side": side.name, "error": side.error}
    if side.error:
        return found
    read = side.facts["parameters"] * (2 if dtype == "bfloat16" else 4) * count / side.median
    found |= {"tokens_per_second": batch * count / side.median, "spread": side.spread}
    return found | {"ratio": ours.over(side), "bandwidth": read / ours.facts["copy"]} | side.facts


def show(found: dict) -> None:
    """One line of the table."""
    start = f"{found['size']:<9}{found['batch']:>5}  {found['side']:<10}"
    if found["error"]:
        print(f"{start} {found['error'][:70]}", flush=True)
        return
    print(
        f"{start}{found['tokens_per_second']:>10,.0f} {found['spread']:>7.1%}{found['ratio']:>8.2f}"
        f"{1e3 * found['first_seconds']:>7.1f} ms{found['bandwidth']:>11.0%}{found['peak_mib']:>10,.0f}",
        flush=True,
    )


def prompt(vocab: int, batch: int) -> np.ndarray:
    """What every row begins with."""
    return np.random.default_rng(0).integers(1, vocab, (batch, _PROMPT))


def timed(work, repeats: int = 3) -> float:
    """The fastest of some repeats, after one that is not counted."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times[1:])


def ours(side: str, size: tuple, batch: int, dtype: str):
    """`jaxgpt.generate`."""
    from jaxgpt.core import settings

    settings.apply()
    import jax
    import jax.numpy as jnp
    from flax import nnx

    import jaxgpt
    from jaxgpt.nn.position.learned import Learned

    layers, width, heads, vocab, length, count = size
    config = jaxgpt.ModelConfig(
        num_layers=layers,
        d_model=width,
        num_heads=heads,
        vocab_size=vocab,
        max_length=length,
        position=Learned(),
        dtype=dtype,
        param_dtype=dtype,
    )
    model = jaxgpt.Transformer(config, rngs=nnx.Rngs(0))
    ids = prompt(vocab, batch)

    def work(new: int = count):
        jaxgpt.generate(model, ids, max_new_tokens=new)

    began = time.perf_counter()
    work()
    compile_seconds = time.perf_counter() - began
    flat = jnp.ones(1 << 26, jnp.float32)
    # Many copies in one call, or on a GPU the call would be what is timed.
    copy = jax.jit(lambda x: jax.lax.fori_loop(0, _COPIES, lambda i, x: x + 1, x))
    read_and_written = _COPIES * 2 * flat.nbytes / timed(lambda: jax.block_until_ready(copy(flat)))
    facts = {
        "compile_seconds": compile_seconds,
        "first_seconds": timed(lambda: work(1)),
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model))),
        "copy": read_and_written,
    }
    return facts, work


def theirs(side: str, size: tuple, batch: int, dtype: str):
    """transformers' `generate`, or a loop without a cache over a plain PyTorch model."""
    import torch

    layers, width, heads, vocab, length, count = size
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    ids = torch.from_numpy(prompt(vocab, batch)).to(device)
    if side == "no-cache":
        from torch_gpt import GPT

        model = GPT(vocab=vocab, width=width, layers=layers, heads=heads, length=length)
        model = model.to(device, getattr(torch, dtype)).eval()

        def work(new: int = count):
            tokens = ids
            with torch.inference_mode():
                for _ in range(new):
                    likeliest = model(tokens)[:, -1:].argmax(-1)
                    tokens = torch.cat([tokens, likeliest], 1)
    else:
        import transformers

        config = transformers.GPT2Config(
            vocab_size=vocab, n_positions=length, n_embd=width, n_layer=layers, n_head=heads
        )
        model = transformers.GPT2LMHeadModel(config).to(device, getattr(torch, dtype)).eval()
        more = {"cache_implementation": "static"} if side == "static" else {}

        def work(new: int = count):
            model.generation_config = transformers.GenerationConfig(
                max_new_tokens=new,
                min_new_tokens=new,
                do_sample=False,
                pad_token_id=0,
                eos_token_id=None,
                **more,
            )
            with torch.inference_mode():
                model.generate(ids, attention_mask=torch.ones_like(ids))

        if side == "static":
            compiled = torch.compile(model.forward, dynamic=False, mode="reduce-overhead")

            def forward(*args, **more):
                torch.compiler.cudagraph_mark_step_begin()  # what the last step gave may be written over
                return compiled(*args, **more)

            model.forward = forward
    began = time.perf_counter()
    work()
    compile_seconds = time.perf_counter() - began
    facts = {
        "compile_seconds": compile_seconds,
        "first_seconds": timed(lambda: work(1)),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }
    return facts, work


if __name__ == "__main__":
    main()
