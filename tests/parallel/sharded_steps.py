"""Trains the tiny experiment on several meshes of 8 simulated devices; prints what it found as JSON.

A program of its own, since the number of devices is fixed when JAX starts. `sharded_steps.py FOLDER`, and
`sharded_steps.py FOLDER few RUN` for the least that says something, with a run to start from.
"""

import json
import sys
from pathlib import Path

import jax
import numpy as np
from flax import nnx
from tiny_runs import REPOSITORY, tiny

import jaxgpt
from jaxgpt.core import fields
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.learned import Learned
from jaxgpt.parallel import sharding
from jaxgpt.runs import experiments
from jaxgpt.runs.checkpoints import Checkpoints
from jaxgpt.runs.run_weights import override, weights_of
from jaxgpt.tokenizers.bpe import BytePairs
from jaxgpt.training.prepare import prepare
from jaxgpt.training.trainer import first_state

MESHES = {"1x1x1": (1, 1, 1), "8x1x1": (8, 1, 1), "2x2x2": (2, 2, 2), "1x4x2": (1, 4, 2)}
#: Devices that the first run goes on on, of another mesh and number: data x fsdp x tensor.
RESUMED = {"1x1x1": (1, 1, 1), "2x1x1": (2, 1, 1), "1x4x1": (1, 4, 1), "1x4x2": (1, 4, 2)}
#: A text of long rows: data x fsdp x sequence x tensor.
SEQUENCE_MESHES = {"1x1x1x1": (1, 1, 1, 1), "1x1x4x2": (1, 1, 4, 2)}
LONG = {
    "task.path": str(REPOSITORY / "README.md"),
    "model.num-layers": "1",
    "model.d-model": "16",
    "model.num-heads": "2",
    "model.max-length": "512",
    "model.position": "rotary",
    "training.batch-size": "2",
    "training.eval-examples": "1",
    "training.chunk": "5",
}
#: Four seeds: seeds x data x fsdp x tensor.
SEED_MESHES = {"1x1x1x1": (1, 1, 1, 1), "4x2x1x1": (4, 2, 1, 1), "2x1x2x2": (2, 1, 2, 2)}
WATCHED = "decoder.blocks.0.attention.query.kernel"


class Run:
    """One mesh: its program, and 10 steps on it from any state."""

    def __init__(self, mesh, *, axes=("data", "fsdp", "tensor"), experiment=None, **options):
        sizes = {f"training.mesh.{axis}": str(size) for axis, size in zip(axes, mesh, strict=True)}
        self.prepared = prepare(fields.override(experiment or tiny(**options), sizes))
        self.program = self.prepared.program
        self.compiled = self.program.compile(self.prepared.feed.data).compile()

    def steps(self, state, first, last):
        """The losses of steps first, ..., last - 1, and the state after them."""
        whole, losses = sharding.replicated(self.program.mesh), []
        for step in range(first, last, 5):
            scalars = [sharding.put(np.int32(value), whole) for value in (step, 5)]
            data, indices = self.prepared.feed(step, 5)
            state, metrics = self.compiled(state, data, indices, *scalars)
            found = np.asarray(metrics["loss"])
            losses += (found[:, 0] if self.program.seeds == 1 else found).tolist()
        return losses, state


def shapes(tree):
    """The shape of every shard of the watched kernel, wherever in the tree it is."""
    found = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if WATCHED in jax.tree_util.keystr(path):
            found.append(sorted({shard.data.shape for shard in leaf.addressable_shards}))
    return found


def train(answer, name, run):
    """10 steps of a run from its start, with their losses and shapes in `answer`."""
    losses, state = run.steps(run.program.init(), 0, 10)
    answer["losses"][name], answer["shards"][name] = losses, shapes(state)
    return losses, state


def resume(answer, name, run, checkpoints):
    """Steps 10 to 20 from a checkpoint, with their losses and shapes in `answer`."""
    step, state, _ = checkpoints.restore(run.program.abstract())
    losses, state = run.steps(state, step, 20)
    answer["losses"][f"resumed on {name}"] = losses
    answer["shards"][f"resumed on {name}"] = shapes(state)


def saved(folder, state):
    """Checkpoints with the state of step 10."""
    checkpoints = Checkpoints(folder, fingerprint="t")
    checkpoints.save(10, state, loss=1.0)
    checkpoints.wait()
    return checkpoints


def started(folder, run):
    """Of first weights, a run's or a directory's: how many devices hold them, and which are others."""
    texts = ["12+34=46", "7+5=12", "the sum of 120 and 35 is 155", "99+1=100", "1234567890"]
    tokenizer = BytePairs.train(texts * 3, 290)
    small = ModelConfig(num_layers=1, d_model=16, num_heads=2, max_length=40, position=Learned())
    model = jaxgpt.Transformer(small.for_vocabulary(tokenizer.vocabulary()), rngs=nnx.Rngs(7))
    jaxgpt.save_hf(model, folder / "gpt2", family="gpt2", tokenizer=tokenizer)
    models = {run: jaxgpt.load(run).model, folder / "gpt2": jaxgpt.load_hf(folder / "gpt2").model}
    answer = {}
    for path, there in models.items():
        for seeds in (1, 2):
            values = {"model.init": str(path), "seeds": str(seeds), "training.mesh.fsdp": "2"}
            experiment = override(tiny(), values)
            prepared = prepare(experiment, given=weights_of(experiment))
            params = first_state(prepared)["params"]
            other = []
            for name, value in prepared.program.template.params(there).items():
                expected = np.stack([value] * seeds) if seeds > 1 else value
                other += [] if np.array_equal(params[name], expected) else [name]
            devices = {len(value.sharding.device_set) for value in params.values()}
            answer[f"{'run' if path == run else 'directory'}, {seeds}"] = [sorted(devices), other]
    return answer


def few(folder, run):
    """One device and eight, a run of the eight that goes on on the one, and one that starts from weights."""
    answer = {"devices": jax.device_count(), "losses": {}, "shards": {}}
    one, eight = Run((1, 1, 1)), Run((2, 2, 2))
    _, alone = train(answer, "1x1x1", one)
    _, state = train(answer, "2x2x2", eight)
    checkpoints = saved(folder, state)
    resume(answer, "1x1x1", one, checkpoints)
    checkpoints.close()
    answer["losses"]["whole"] = answer["losses"]["1x1x1"] + one.steps(alone, 10, 20)[0]
    answer["automatic"] = dict(prepare(tiny(seeds="4")).program.mesh.shape)
    answer["started"] = started(folder, run)
    print(json.dumps(answer))


def main(folder):
    runs = {name: Run(mesh) for name, mesh in MESHES.items()}
    answer = {"devices": jax.device_count(), "losses": {}, "shards": {}}
    for name, run in runs.items():
        losses, state = train(answer, name, run)
        if name == "2x2x2":
            checkpoints = saved(folder, state)
            answer["losses"]["whole"] = losses + run.steps(state, 10, 20)[0]
    for name, mesh in RESUMED.items():
        resume(answer, name, runs.get(name) or Run(mesh), checkpoints)
    checkpoints.close()
    for name, mesh in SEED_MESHES.items():
        train(answer, name, Run(mesh, axes=("seeds", "data", "fsdp", "tensor"), seeds=4))
    text = fields.override(experiments.find("text-bytes"), LONG)
    rows = tiny()
    axes = ("data", "fsdp", "sequence", "tensor")
    answer["sequence"], answer["temporary"] = {}, {}
    for name, mesh in SEQUENCE_MESHES.items():
        run = Run(mesh, axes=axes, experiment=text)
        answer["sequence"][name] = run.steps(run.program.init(), 0, 5)[0]
        answer["temporary"][name] = run.compiled.memory_analysis().temp_size_in_bytes
        state = run.program.init()
        data = run.prepared.validation
        answer["sequence"][name].append(float(jax.jit(run.program.validation)(state, data)[0]))
    # Of a batch that is spread, and then computed in pieces, each device holds its share.
    wide = fields.override(text, {"training.batch-size": "32", "model.d-model": "64"})
    for name, mesh, pieces in (
        ("data", (8, 1, 1, 1), 1),
        ("fsdp", (1, 8, 1, 1), 1),
        ("pieces", (8, 1, 1, 1), 4),
    ):
        run = Run(mesh, axes=axes, experiment=fields.override(wide, {"training.accumulation": str(pieces)}))
        answer["temporary"][name] = run.compiled.memory_analysis().temp_size_in_bytes
        answer["losses"][f"a batch by {name}"] = run.steps(run.program.init(), 0, 5)[0]
    run = Run((2, 1, 4, 1), axes=axes, experiment=rows)
    answer["losses"]["rows over 4"] = run.steps(run.program.init(), 0, 10)[0]
    answer["refused"] = []
    for length, count in ((510, 4), (7, 8)):
        experiment = fields.override(text if length > 7 else rows, {"model.max-length": str(length)})
        try:
            Run((1, 1, count, 1), axes=axes, experiment=experiment)
        except ValueError as error:
            answer["refused"].append(str(error))
    print(json.dumps(answer))


if __name__ == "__main__":
    if sys.argv[2:3] == ["few"]:
        few(Path(sys.argv[1]), Path(sys.argv[3]))
    else:
        main(Path(sys.argv[1]))
