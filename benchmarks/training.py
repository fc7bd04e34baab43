"""Training against PyTorch: `python benchmarks/training.py` (pip install 'jaxgpt[transformers]').

The same shapes, tokens, optimizer (AdamW, clipped gradients) and precision on both sides, in turns. The
peers are a plain PyTorch model with its fused functions, eager and compiled, the same with attention and
GELU written out as makemore has them, and GPT-2 of transformers. Tokens are counted as
predicted; what is compiled is compiled before, and told apart. `share` is of the fastest product of square
matrices that this library finds on the device in that precision.
"""

import argparse
import time

import numpy as np
from alternate import Side, alternate, options, serve, write

#: Sizes by name: layers, width, heads, vocabulary, length, batch and steps a round.
SIZES = {
    "makemore": (4, 64, 4, 27, 16, 32, 200),
    "tiny": (4, 128, 4, 65, 64, 12, 100),
    "baby": (6, 384, 6, 65, 256, 8, 4),
    "gpt2": (12, 768, 12, 50257, 256, 2, 1),
    "baby-gpu": (6, 384, 6, 65, 256, 64, 100),
    "gpt2-gpu": (12, 768, 12, 50257, 1024, 32, 10),
}
SIDES = ("jaxgpt", "eager", "written out", "compiled", "transformers")
DTYPES = ("float32", "bfloat16")
#: Side of the square matrices whose product is the peak, by kind of device.
_MATRIX = {"cpu": 2048, "gpu": 8192}


def main():
    """Print the table and keep it."""
    parser = options(__doc__, rounds=7)
    parser.add_argument("--sizes", default="makemore,tiny,baby", help=f"of {', '.join(SIZES)}")
    parser.add_argument("--dtypes", default=",".join(DTYPES))
    parser.add_argument("--sides", default=",".join(SIDES))
    parser.add_argument("--size", help=argparse.SUPPRESS)
    parser.add_argument("--dtype", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        prepare = ours if given.side == "jaxgpt" else theirs
        serve(lambda: prepare(given.side, SIZES[given.size], given.dtype))
        return
    rows = []
    print(
        f"{'size':<10}{'type':<10}{'side':<14}{'tokens/s':>10} {'spread':>7}{'share':>7}{'ratio':>8}", end=""
    )
    print(f"{'compile':>9}{'peak MiB':>10}")
    for size in given.sizes.split(","):
        for dtype in given.dtypes.split(","):
            arguments = ["--size", size, "--dtype", dtype]
            sides = alternate(
                __file__,
                given.sides.split(","),
                rounds=given.rounds,
                arguments=arguments,
                together=given.together,
            )
            rows += [row(size, dtype, side, sides["jaxgpt"]) for side in sides.values()]
            for found in rows[-len(sides) :]:
                show(found)
    if not given.no_write:
        print(f"written: {write('training', rows, add=given.add)}")


def row(size: str, dtype: str, side: Side, ours: Side) -> dict:
    """What is kept of a side; `ratio` is how many times as fast ours is."""
    found = {"size": size, "dtype": dtype, "side": side.name, "error": side.error}
    if side.error:
        return found
    layers, width, _, vocab, length, batch, steps = SIZES[size]
    tokens = batch * length * steps / side.median
    # Kaplan et al. 2020, arXiv 2001.08361, section 2.1, with attention; three times for the gradients.
    flops = 3 * (2 * (12 * layers * width**2 + vocab * width) + 4 * layers * length * width)
    found |= {
        "tokens_per_second": tokens,
        "spread": side.spread,
        "share": tokens * flops / ours.facts["peak"],
    }
    return found | {"ratio": ours.over(side)} | side.facts


def show(found: dict) -> None:
    """One line of the table."""
    start = f"{found['size']:<10}{found['dtype']:<10}{found['side']:<14}"
    if found["error"]:
        print(f"{start} {found['error'][:70]}", flush=True)
        return
    print(
        f"{start}{found['tokens_per_second']:>10,.0f} {found['spread']:>7.1%}{found['share']:>7.0%}"
        f"{found['ratio']:>8.2f}{found['compile_seconds']:>8.1f}s{found['peak_mib']:>10,.0f}",
        flush=True,
    )


def text(vocab: int) -> np.ndarray:
    """The stream that both sides read."""
    return np.random.default_rng(0).integers(0, vocab, 100_000)


def ours(side: str, size: tuple, dtype: str):
    """jaxgpt's own program, as `train.py` runs it."""
    from jaxgpt.core import settings

    settings.apply()
    import jax

    from jaxgpt.data.feed import DeviceFeed
    from jaxgpt.data.order import Order
    from jaxgpt.data.stream import Stream
    from jaxgpt.models.config import ModelConfig
    from jaxgpt.models.template import Template
    from jaxgpt.nn.kernels.product import product
    from jaxgpt.nn.position.learned import Learned
    from jaxgpt.parallel import sharding
    from jaxgpt.training.optimizers.adamw import AdamW
    from jaxgpt.training.program import Program
    from jaxgpt.training.training_config import TrainingConfig

    layers, width, heads, vocab, length, batch, steps = size
    model = ModelConfig(
        num_layers=layers,
        d_model=width,
        num_heads=heads,
        vocab_size=vocab,
        max_length=length,
        position=Learned(),
        dtype=dtype,
    )
    chunk = min(steps, 20)
    training = TrainingConfig(
        batch_size=batch,
        chunk=chunk,
        steps=10**6,
        logits_mib=8192,  # PyTorch holds all of them, too
    )
    mesh = sharding.make_mesh(training.mesh, batch)
    optimizer = AdamW(learning_rate=1e-4, clip_norm=1.0)
    program = Program(Template(model), optimizer, training, 1, mesh, length)
    table = Stream(text(vocab).astype(np.min_scalar_type(vocab - 1)), length)
    feed = DeviceFeed(table, [Order(table.num_examples, batch, 0)], chunk, mesh)
    began = time.perf_counter()
    compiled = program.compile(feed.data).compile()
    compile_seconds = time.perf_counter() - began
    state, place, whole = program.init(), 0, sharding.replicated(mesh)

    def work():
        nonlocal state, place
        for _ in range(steps // chunk):
            data, indices = feed(place, chunk)
            first, number = (sharding.put(np.int32(v), whole) for v in (place, chunk))
            state, metrics = compiled(state, data, indices, first, number)
            place += chunk
        np.asarray(metrics["loss"])

    side = _MATRIX[jax.default_backend()]
    square = jax.random.normal(jax.random.key(0), (side, side), dtype)  # a product of ones is faster
    wide = jax.default_backend() == "cpu"
    multiplied = jax.jit(lambda a, b: product(a, b, wide=wide))
    times = []
    for _ in range(6):
        began = time.perf_counter()
        jax.block_until_ready(multiplied(square, square))
        times.append(time.perf_counter() - began)
    facts = {"compile_seconds": compile_seconds, "peak": 2 * side**3 / min(times)}
    return facts | {"parameters": program.template.num_params}, work


def batches(stream: np.ndarray, length: int, batch: int, device: str):
    """A function that draws a batch of windows, as nanoGPT does: on the host, sent without waiting."""
    import torch

    stream = torch.from_numpy(np.asarray(stream, np.int64))
    generator = torch.Generator().manual_seed(0)

    def draw():
        start = torch.randint(len(stream) - length, (batch,), generator=generator)
        tokens = torch.stack([stream[i : i + length + 1] for i in start])
        return tokens.pin_memory().to(device, non_blocking=True) if device == "cuda" else tokens

    return draw


def theirs(side: str, size: tuple, dtype: str):
    """PyTorch: eager, compiled, or transformers' GPT-2."""
    import torch

    layers, width, heads, vocab, length, batch, steps = size
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = True  # as nanoGPT has it, and as JAX has it
    torch.manual_seed(0)
    if side == "transformers":
        import transformers

        config = transformers.GPT2Config(
            vocab_size=vocab,
            n_positions=length,
            n_embd=width,
            n_layer=layers,
            n_head=heads,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            use_cache=False,
        )
        model = transformers.GPT2LMHeadModel(config)
    else:
        from torch_gpt import GPT

        fused = side != "written out"
        model = GPT(vocab=vocab, width=width, layers=layers, heads=heads, length=length, fused=fused)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    model = model.to(device).train()
    rule = torch.optim.AdamW(
        model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=device == "cuda"
    )
    narrow = torch.autocast(device, torch.bfloat16, enabled=dtype == "bfloat16")

    def loss_of(tokens):
        logits = model(tokens[:, :-1])
        logits = logits if torch.is_tensor(logits) else logits.logits
        return torch.nn.functional.cross_entropy(logits.reshape(-1, vocab).float(), tokens[:, 1:].reshape(-1))

    function = torch.compile(loss_of) if side == "compiled" else loss_of
    draw = batches(text(vocab), length, batch, device)

    def work(count: int = steps):
        for _ in range(count):
            tokens = draw()
            with narrow:
                loss = function(tokens)
            rule.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            rule.step()
        loss.item()

    began = time.perf_counter()
    work(1)
    return {"compile_seconds": time.perf_counter() - began, "parameters": parameters}, work


if __name__ == "__main__":
    main()
