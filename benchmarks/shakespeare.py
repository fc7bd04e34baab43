"""nanoGPT's run on Shakespeare's characters: `python benchmarks/shakespeare.py --path tinyshakespeare.txt`.

The recipe of nanoGPT's config/train_shakespeare_char.py in bfloat16: 10.7M parameters, batches of 64 windows
of 256 characters, dropout 0.2, 5,000 iterations in 20 pieces; after each the loss on all of the validation
text, of which the least is quoted, as nanoGPT keeps the weights that had it. The sides take turns: jaxgpt,
the same without dropout on attention weights, which then are one kernel's, and a compiled PyTorch model with
its fused attention. Compiling comes before and is not counted, on either side.
"""

from pathlib import Path

import numpy as np
from alternate import alternate, options, serve, write

from jaxgpt.core.nested import replaced

SIDES = ("jaxgpt", "no attention dropout", "compiled")
#: Pieces that all iterations are done in.
_PIECES = 20
_BATCH, _WINDOW = 64, 256


def main():
    """Print the table and keep it."""
    parser = options(__doc__, rounds=_PIECES)
    parser.add_argument("--path", required=True, help="the text, UTF-8")
    parser.add_argument("--sides", default=",".join(SIDES))
    parser.add_argument("--iterations", type=int, default=5000, help="of the whole run")
    given = parser.parse_args()
    piece = given.iterations // _PIECES
    if given.side:
        prepare = theirs if given.side == "compiled" else ours
        serve(lambda: prepare(given.side, read(given.path), piece))
        return
    arguments = ["--path", given.path, "--iterations", str(given.iterations)]
    names = given.sides.split(",")
    sides = alternate(__file__, names, rounds=given.rounds, arguments=arguments, together=given.together)
    print(f"{'side':<22}{'iterations':>11}{'seconds':>9}{'ms each':>9} {'spread':>7}{'ratio':>7}{'loss':>8}")
    rows = []
    for side in sides.values():
        if side.error:
            rows.append({"side": side.name, "error": side.error})
            continue
        rows.append({"side": side.name, "iterations": piece * given.rounds, "seconds": sum(side.seconds)})
        rows[-1] |= {"iteration_seconds": side.median / piece, "spread": side.spread}
        rows[-1] |= {"ratio": sides[names[0]].over(side)} | side.facts
        print(
            f"{side.name:<22}{piece * given.rounds:>11,}{sum(side.seconds):>9.1f}"
            f"{1e3 * side.median / piece:>9.2f} {side.spread:>7.1%}{rows[-1]['ratio']:>7.2f}"
            f"{side.facts['loss']:>8.4f}",
            flush=True,
        )
    if not given.no_write:
        print(f"written: {write('shakespeare', rows, add=given.add)}")


def read(path: str) -> tuple[np.ndarray, np.ndarray, int]:
    """The characters' ids of the training text and of the last tenth, and how many characters there are."""
    text = Path(path).read_text(encoding="utf-8")
    letters = sorted(set(text))
    ids = np.asarray([letters.index(c) for c in text], np.uint8)
    cut = int(0.9 * len(ids))
    return ids[:cut], ids[cut:], len(letters)


def held_out(stream: np.ndarray) -> np.ndarray:
    """All of the validation text in windows."""
    from jaxgpt.data.stream import windows

    return windows(stream, _WINDOW)


def ours(side: str, texts: tuple, piece: int):
    """jaxgpt's own program, as `train.py text --model nanogpt-baby` runs it."""
    from jaxgpt.core import settings

    settings.apply()
    import dataclasses

    import jax

    from jaxgpt.data.feed import DeviceFeed
    from jaxgpt.data.order import Order
    from jaxgpt.data.stream import Stream
    from jaxgpt.models.presets.small import nanogpt_baby
    from jaxgpt.models.template import Template
    from jaxgpt.parallel import sharding
    from jaxgpt.training.optimizers.adamw import AdamW
    from jaxgpt.training.program import Program
    from jaxgpt.training.training_config import TrainingConfig

    train, validation, vocab = texts
    model = dataclasses.replace(nanogpt_baby(), vocab_size=vocab, dtype="bfloat16")
    if side == "no attention dropout":
        model = replaced(model, {"attention.dropout": 0.0})
    training = TrainingConfig(batch_size=_BATCH, chunk=min(piece, 50), steps=piece * _PIECES)
    optimizer = AdamW(learning_rate=1e-3, beta2=0.99, weight_decay=0.1, final_fraction=0.1)
    mesh = sharding.make_mesh(training.mesh, _BATCH)
    program = Program(Template(model), optimizer, training, 1, mesh, _WINDOW)
    table = Stream(train, _WINDOW)
    feed = DeviceFeed(table, [Order(table.num_examples, _BATCH, 0)], training.chunk, mesh)
    compiled, whole = program.compile(feed.data).compile(), sharding.replicated(mesh)
    data = {"tokens": sharding.put(held_out(validation), whole)}
    validate = jax.jit(program.validation)
    state, place, losses = None, 0, []

    def work():
        nonlocal state, place
        if state is None or place == training.steps:
            state, place = program.init(), 0
            losses.clear()
        end = place + piece
        while place < end:
            count = min(training.chunk, end - place)
            given, indices = feed(place, count)
            first, number = (sharding.put(np.int32(v), whole) for v in (place, count))
            state, _ = compiled(state, given, indices, first, number)
            place += count
        losses.append(float(validate({"params": state["params"]}, data)[0]))

    work()
    state = None  # the first round, which is not counted, begins anew, and so does the second
    begun = False

    def round_():
        nonlocal state, begun
        if not begun:
            work()
            state, begun = None, True
            return
        work()

    return {}, round_, lambda: {"loss": min(losses)}


def theirs(side: str, texts: tuple, piece: int):
    """The same in PyTorch."""
    import math

    import torch
    from torch_gpt import GPT
    from training import batches

    train, validation, vocab = texts
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = True
    windows = torch.from_numpy(held_out(validation).astype(np.int64)).to(device)
    narrow = torch.autocast(device, torch.bfloat16)
    steps, losses = piece * _PIECES, []

    def rate(step):
        if step < 100:
            return (step + 1) / 100
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - 100) / max(steps - 100, 1)))

    torch.manual_seed(0)
    model = GPT(vocab=vocab, width=384, layers=6, heads=6, length=_WINDOW, bias=False, rate=0.2).to(device)

    def loss_of(tokens):
        logits = model(tokens[:, :-1])
        return torch.nn.functional.cross_entropy(logits.reshape(-1, vocab).float(), tokens[:, 1:].reshape(-1))

    function = torch.compile(loss_of)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    draw = batches(train, _WINDOW, _BATCH, device)
    rule, place = None, 0

    def begin():
        nonlocal rule, place
        model.load_state_dict(start)
        matrices = [p for p in model.parameters() if p.dim() > 1]
        others = [p for p in model.parameters() if p.dim() < 2]
        groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
        rule, place = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99), fused=device == "cuda"), 0
        losses.clear()

    def work():
        nonlocal place
        model.train()
        for _ in range(piece):
            for group in rule.param_groups:
                group["lr"] = 1e-3 * rate(place)
            tokens = draw()
            with narrow:
                loss = function(tokens)
            rule.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            rule.step()
            place += 1
        model.eval()
        with torch.no_grad(), narrow:
            parts = [(loss_of(part).float(), len(part)) for part in windows.split(_BATCH)]
        losses.append(float(sum(value * count for value, count in parts) / len(windows)))

    begin()
    work()
    begun = False

    def round_():
        nonlocal begun
        if not begun:
            begin()
            work()
            begin()
            begun = True
            return
        work()

    return {}, round_, lambda: {"loss": min(losses)}


if __name__ == "__main__":
    main()
