"""Plans for 8 simulated devices, against what shapes and shardings say by themselves."""

import math
import os
import re
import signal

import jax
import numpy as np
import pytest
from planned import plan, words
from tiny_runs import one_line, run, start, tiny

from jaxgpt.core import fields
from jaxgpt.plan import targets
from jaxgpt.plan.candidates import Candidate
from jaxgpt.plan.compiling import Compiler
from jaxgpt.runs import experiments
from jaxgpt.runs.opening import mib
from jaxgpt.training.prepare import prepare


@pytest.fixture(scope="module")
def by_data(tmp_path_factory):
    """Every device has a copy of the model."""
    return plan(tmp_path_factory.mktemp("data"), "cpu:8")


@pytest.fixture(scope="module")
def by_fsdp(tmp_path_factory):
    """Every device has an eighth of the model."""
    return plan(tmp_path_factory.mktemp("fsdp"), "cpu:8", training__mesh__fsdp=8)


def argument_bytes(fsdp: int) -> int:
    """Of one device, by hand: state, table, indices, two scalars and the counts of the optimizer."""
    prepared = prepare(tiny(training__batch_size=16, model__layers="scanned", model__dropout=0.1))
    template, total = prepared.program.template, 0
    for name, shape in template.shapes.items():
        split = [axis for axis in template.axes[name] if axis == "embed"]
        # The embedding's dimension of 16 is the only one that fsdp splits, once an array.
        divided = fsdp if split else 1
        assert divided == 1 or 16 in shape
        total += 3 * 4 * math.prod(shape) // divided  # the weight and two moments, in float32
    counts = [leaf for leaf in jax.tree.leaves(prepared.program.abstract()["optimizer"]) if leaf.shape == ()]
    total += sum(leaf.dtype.itemsize for leaf in counts)
    total += sum(value.nbytes for value in prepared.table.arrays().values())
    return total + np.zeros((5, 1, 16), np.int32).nbytes + 2 * 4


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("found", "fsdp"), [("by_data", 1), pytest.param("by_fsdp", 8, marks=pytest.mark.thorough)]
)
def test_arguments_are_what_shapes_and_shardings_say(found, fsdp, request):
    first = request.getfixturevalue(found)[0]["candidates"][0]
    assert first["mesh"] == {"seeds": 1, "data": 8 // fsdp, "fsdp": fsdp, "tensor": 1} | {
        name: 1 for name in first["mesh"] if name not in ("seeds", "data", "fsdp", "tensor")
    }
    assert first["memory"]["arguments"] == argument_bytes(fsdp)
    parts = ("arguments", "outputs", "temporaries", "code")
    assert first["memory"]["peak"] == sum(first["memory"][part] for part in parts)


def test_a_state_that_is_too_large_is_told_without_compiling():
    experiment = tiny()
    compiler = Compiler(experiment, targets.parse("cpu:1"), None, own_data=False)
    found = compiler.compile(Candidate.of(experiment), 0)
    assert (found["status"], found["reason"]) == ("too large", "its state alone") and "memory" not in found
    # A weight and two moments in float32, and the counts of the optimizer.
    assert 0 < found["arguments"] - 12 * compiler.facts()["parameters"] < 64


@pytest.mark.thorough
def test_copies_exchange_gradients_and_nothing_else(by_data):
    found, _ = by_data
    done = found["candidates"][0]["a_step"]["collectives"]
    assert set(done) == {"all-reduce"}
    # Every weight's gradient once, float32, and the loss; a tied embedding has two parts.
    least = 4 * found["parameters"]
    assert least <= done["all-reduce"]["bytes"] < 1.5 * least


@pytest.mark.thorough
def test_spread_weights_are_gathered(by_fsdp):
    done = by_fsdp[0]["candidates"][0]["a_step"]
    assert done["collectives"]["all-gather"]["count"] > 0
    assert done["kernels"]["all"] >= done["kernels"]["fusions"] > 0


@pytest.mark.thorough
def test_what_is_printed_and_what_is_written_agree(by_data):
    found, output = by_data
    memory = found["candidates"][0]["memory"]
    assert f"{memory['peak'] / 2**20:.1f} MiB" in output
    assert "compiling candidate 1:" in output and "it fits as it is" in output
    assert found["suggestion"]["fits"] and found["suggestion"]["options"] == ""
    assert found["parameters"] == prepare(tiny()).program.template.num_params


def test_rows_are_padded_for_the_devices_that_share_them():
    alone, spread = (
        Compiler(tiny(training__mesh__sequence=count), None, None, own_data=False) for count in (1, 4)
    )
    tokens, padded = (one.facts()["tokens_a_step"] // 8 for one in (alone, spread))  # of a row
    assert tokens % 4 and padded == tokens + 4 - tokens % 4
    assert spread._prepared.model.attention.kernel == "explicit"


@pytest.mark.thorough
def test_rows_are_planned_over_devices(tmp_path):
    found, _ = plan(tmp_path, "cpu:4", training__mesh__sequence=4, candidates=1)
    assert found["candidates"][0]["mesh"]["sequence"] == 4 and found["suggestion"]["fits"]


def test_a_text_that_devices_cannot_share_is_told_in_one_line(tmp_path):
    sizes = {"model__d_model": 16, "model__num_heads": 2, "model__num_layers": 1, "model__max_length": 31}
    options = sizes | {"vocab": 300, "training__mesh__sequence": 2, "training__steps": 10, "candidates": 1}
    found, output = plan(tmp_path, "cpu:2", "text", status=1, training__batch_size=4, **options)
    (first,) = found["candidates"]
    assert first["status"] == "impossible" and "does not divide the 31 tokens of a row" in first["reason"]
    assert f"no: {first['reason']}" in output


@pytest.mark.thorough
def test_without_data_and_too_large_for_the_memory(tmp_path):
    """A text without a file, whose batch no candidate fits."""
    sizes = {"model__d_model": 16, "model__num_heads": 2, "model__num_layers": 1, "model__max_length": 32}
    fields = sizes | {"vocab": 300, "training__batch_size": 4096, "memory": 0.01, "training__steps": 10}
    found, output = plan(tmp_path, "cpu:2", "text", status=1, candidates=1, **fields)
    assert "300 ids (as given)" in output and "stand in for it" in output
    assert found["vocab_size"] == 300 and found["tokens_a_step"] == 4096 * 32
    first = found["candidates"][0]
    assert first["memory"]["arguments"] < found["target"]["memory"] < first["memory"]["temporaries"]
    assert found["suggestion"] is None and not any(one["fits"] for one in found["candidates"])
    assert "nothing that was tried fits" in output


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("steps", "held", "where"),
    [(100, 100 * 4 * 32 * 2, "on every device"), (10**7, 20 * 4 * 33 * 2, "a dispatch, over all devices")],
)
def test_a_text_is_on_the_device_or_comes_chunk_by_chunk(steps, held, where):
    """Ids below 2**16 take two bytes; 10 million steps of 4 x 32 of them are more than a gibibyte."""
    changes = {"training.steps": str(steps), "training.batch-size": "4", "model.max-length": "32"}
    changes |= {"model.num-layers": "1", "model.d-model": "16"}
    experiment = fields.override(experiments.find("text"), changes)
    compiler = Compiler(experiment, targets.parse("cpu:1"), 300, own_data=False)
    assert compiler.facts()["data"].endswith(f"{mib(held)} of it {where}")
    leaves = jax.tree.leaves(compiler._data)
    assert sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in leaves) == held
    assert compiler.compile(Candidate.of(experiment), 2**40)["status"] == "compiled"


@pytest.mark.thorough
def test_a_stop_ends_the_compiler():
    """The process that compiles goes with its parent, at once."""
    with start(*words("cpu:8", model__num_layers=24, model__layers="unrolled")) as process:
        lines = []
        while not any("compiling candidate 1" in line for line in lines):
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        pids = map(int, filter(str.isdecimal, os.listdir("/proc")))
        (compiler,) = [pid for pid in pids if _parent(pid) == process.pid]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert one_line(process.stderr.read()) == "error: interrupted"
        assert _parent(compiler) is None


def _parent(pid: int) -> int | None:
    """The parent of a process, None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return int(re.sub(r".*\)", "", file.read()).split()[1])
    except OSError:
        return None


@pytest.mark.thorough
def test_a_compilation_may_take_too_long():
    status, _, errors = run(*words("cpu:8"), "--timeout", "0.2")
    assert status == 2
    assert "no answer in 0.2 s; --timeout sets" in one_line(errors)
