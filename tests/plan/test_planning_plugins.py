"""Plans for TPUs and GPUs that are not there; for where the extra `plan` is installed."""

import os
import re
import subprocess
import sys

import pytest
import tiny_runs
from planned import plan, words

from jaxgpt.plan import targets
from jaxgpt.plan.targets import Tpu

pytestmark = pytest.mark.plugins

SMALL = {
    "vocab": 1000,
    "training__steps": 10,
    "model": "gpt2",
    "model__num_layers": 2,
    "model__d_model": 128,
    "model__num_heads": 2,
    "model__max_length": 128,
    "model__layers": "scanned",
    "model__dtype": "bfloat16",
    "model__remat": "block",
}


@pytest.mark.parametrize("target", ["v5e:2x2", "v4:2x2x1", "h200:2x2", "a100-40:4"])
def test_a_small_model_fits(tmp_path, target):
    found, _ = plan(tmp_path, target, "text", training__batch_size=8, **SMALL)
    assert found["suggestion"]["fits"]
    first = found["candidates"][0]
    assert first["mesh"]["data"] == found["target"]["devices"] == 4
    # Weights and two moments in float32; padding, and a little data, add to them.
    assert 12 <= first["memory"]["arguments"] / found["parameters"] < 16
    assert first["a_step"]["collectives"]["all-reduce"]["bytes"] >= 2 * found["parameters"]
    assert first["a_step"]["loops_of_unknown_length"] == 0


def test_a_tpu_whose_memory_is_too_small(tmp_path):
    """GPT-2 with 64 rows on four chips, without recomputing."""
    fields = {"model": "gpt2", "model__layers": "scanned", "model__dtype": "bfloat16"}
    found, output = plan(
        tmp_path, "v5e:2x2", "text", status=1, candidates=1, training__batch_size=64, **fields
    )
    first = found["candidates"][0]
    assert first["status"] == "too large" and first["temporaries"] > found["target"]["memory"]
    assert "its temporaries alone" in output


@pytest.mark.parametrize("kind", list(Tpu.MEMORY))
def test_the_memory_of_a_tpu_is_what_its_compiler_says(kind):
    """A program that is too large makes it say so."""
    target = targets.parse(Tpu.usage[kind])
    probe = (
        "import sys, jax, numpy as np\n"
        "from jax.sharding import Mesh, NamedSharding, PartitionSpec\n"
        "from jaxgpt.plan import targets\n"
        "mesh = Mesh(np.asarray(targets.parse(sys.argv[1]).devices()), ('x',))\n"
        "whole = NamedSharding(mesh, PartitionSpec())\n"
        "large = jax.ShapeDtypeStruct((2**30, 128), np.float32, sharding=whole)\n"
        "jax.jit(lambda x: x + 1).lower(large).compile()\n"
    )
    environment = os.environ | {"JAX_PLATFORMS": "cpu"} | target.environment()
    done = subprocess.run(
        [sys.executable, "-c", probe, target.name],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tiny_runs.REPOSITORY,
        timeout=120,
    )
    said = re.search(r"exceeds available HBM \(([\d.]+)G\)", done.stderr)
    assert said, done.stderr
    assert float(said[1]) == Tpu.MEMORY[kind]


def test_a_slice_that_does_not_exist(tmp_path):
    status, _, errors = tiny_runs.run(*words("v5e:3x3", "text", **SMALL))
    assert status == 2
    assert "--target v5e:3x3" in tiny_runs.one_line(errors)
