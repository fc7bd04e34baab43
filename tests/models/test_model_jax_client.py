"""A model is used like any other of JAX and Flax: pickled, exported, tabulated, on meshes of any kind."""

import copy
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from client_program import NAMES as NAMES_CALLED
from client_program import TABULATED
from flax import nnx
from test_architectures import EVERY_TIME, NAMES, config
from tiny_runs import REPOSITORY, STRICT
from variants import often

from jaxgpt.models.transformer import Transformer


def built(name):
    return Transformer(config(name), rngs=nnx.Rngs(0))


@pytest.mark.thorough
@pytest.mark.parametrize("name", often(NAMES, EVERY_TIME))
def test_a_copy_has_the_same_structure_and_weights(name):
    model = built(name)
    graph, state = nnx.split(model)
    pickled = pickle.loads(pickle.dumps(model))  # noqa: S301 - of this very line
    for copied in (pickled, copy.deepcopy(model)):
        other_graph, other_state = nnx.split(copied)
        assert other_graph == graph  # so that nothing compiles twice
        assert hash(other_graph) == hash(graph)
        jax.tree.map(np.testing.assert_array_equal, other_state, state)


@pytest.fixture(scope="module")
def found():
    """What `client_program.py` found on 8 simulated devices."""
    variables = {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")]),
    }
    done = subprocess.run(
        [sys.executable, *STRICT, Path(__file__).with_name("client_program.py")],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES_CALLED)
def test_a_program_is_exported_for_any_number_of_rows(found, name):
    assert found["exported"][name] < 1e-5


@pytest.mark.thorough
def test_a_program_is_exported_for_any_number_of_tokens(found):
    assert found["exported for any length"] < 1e-5


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES_CALLED)
def test_a_mesh_with_explicit_axes_changes_nothing(found, name):
    apart = found["explicit"][name]
    assert set(apart) == {"logits", "gradients"}
    assert max(apart.values()) < 1e-5


@pytest.mark.thorough
def test_a_model_writes_the_same_on_a_mesh_with_explicit_axes(found):
    assert found["answers"]


@pytest.mark.thorough
@pytest.mark.parametrize("name", TABULATED)
def test_tabulate_shows_every_layer(found, name):
    table, model = found["tables"][name], built(name)
    count = sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
    assert f"Total Parameters: {count:,}" in table
    stack = "encoder" if model.config.kind == "encoder" else "decoder"
    for index in range(len(getattr(model, stack).blocks)):
        assert f"{stack}/blocks/{index}" in table
