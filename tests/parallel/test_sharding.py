"""One device and 8 simulated ones train alike, and a run goes on on other devices than it began on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from tiny_runs import REPOSITORY, STRICT

from jaxgpt.parallel.mesh_config import MeshConfig
from jaxgpt.parallel.sharding import make_mesh, spec


def found(folder, *words):
    """What `sharded_steps.py` found."""
    script = Path(__file__).with_name("sharded_steps.py")
    variables = {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")]),
    }
    done = subprocess.run(
        [sys.executable, *STRICT, script, folder, *words],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def sharded(tmp_path_factory):
    """All meshes, which takes minutes."""
    return found(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="module")
def few(tmp_path_factory, finished_run):
    """One device and eight."""
    return found(tmp_path_factory.mktemp("few"), "few", finished_run)


def test_eight_devices_train_as_one_and_one_goes_on_with_their_run(few):
    losses, shards = few["losses"], few["shards"]
    assert few["devices"] == 8
    np.testing.assert_allclose(losses["2x2x2"], losses["1x1x1"], atol=1e-5)
    np.testing.assert_allclose(losses["resumed on 1x1x1"], losses["whole"][10:], atol=1e-5)
    assert shards["2x2x2"] == [[[8, 1, 8]]] * 3 and shards["resumed on 1x1x1"] == [[[16, 2, 8]]] * 3


@pytest.mark.thorough
@pytest.mark.parametrize("mesh", ["8x1x1", "2x2x2", "1x4x2"])
def test_eight_devices_are_one_device(sharded, mesh):
    assert sharded["devices"] == 8
    np.testing.assert_allclose(sharded["losses"][mesh], sharded["losses"]["1x1x1"], atol=1e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("mesh", ["4x2x1x1", "2x1x2x2"])
def test_seeds_spread_over_devices_are_seeds_on_one(sharded, mesh):
    np.testing.assert_allclose(sharded["losses"][mesh], sharded["losses"]["1x1x1x1"], atol=1e-5)
    assert np.shape(sharded["losses"][mesh]) == (10, 4)


def test_left_to_itself_a_mesh_spreads_seeds_first(few):
    assert few["automatic"] == {"seeds": 4, "data": 2, "fsdp": 1, "sequence": 1, "tensor": 1}


@pytest.mark.parametrize("start", ["run, 1", "run, 2", "directory, 1", "directory, 2"])
def test_weights_to_start_from_are_laid_out_over_all_devices(few, start):
    devices, other = few["started"][start]
    assert devices == [8] and other == []


@pytest.mark.thorough
def test_parameters_and_moments_are_spread_over_devices(sharded):
    # The weights and both moments of a [16, 2, 8] kernel: embed over fsdp, heads over tensor.
    expected = {
        "1x1x1": [16, 2, 8],
        "8x1x1": [16, 2, 8],
        "2x2x2": [8, 1, 8],
        "1x4x2": [4, 1, 8],
        "resumed on 1x1x1": [16, 2, 8],
        "resumed on 2x1x1": [16, 2, 8],
        "resumed on 1x4x1": [4, 2, 8],
        "resumed on 1x4x2": [4, 1, 8],
        "1x1x1x1": [4, 16, 2, 8],
        "4x2x1x1": [1, 16, 2, 8],
        "2x1x2x2": [2, 8, 1, 8],
    }
    assert sharded["shards"] == {name: [[shape]] * 3 for name, shape in expected.items()}


@pytest.mark.thorough
@pytest.mark.parametrize("mesh", ["1x1x1", "2x1x1", "1x4x1", "1x4x2"])
def test_a_run_goes_on_on_another_number_of_devices(sharded, mesh):
    np.testing.assert_allclose(
        sharded["losses"][f"resumed on {mesh}"], sharded["losses"]["whole"][10:], atol=1e-5
    )


@pytest.mark.thorough
def test_rows_spread_over_devices_give_the_losses_of_one_device(sharded):
    # Five training steps, and the validation loss at the start.
    spread, alone = sharded["sequence"]["1x1x4x2"], sharded["sequence"]["1x1x1x1"]
    np.testing.assert_allclose(spread, alone, atol=1e-5)
    assert len(spread) == 6


@pytest.mark.thorough
def test_rows_spread_over_devices_take_less_memory_on_each(sharded):
    assert sharded["temporary"]["1x1x4x2"] < sharded["temporary"]["1x1x1x1"] / 4


@pytest.mark.thorough
def test_padded_rows_spread_over_devices_are_those_on_one(sharded):
    np.testing.assert_allclose(sharded["losses"]["rows over 4"], sharded["losses"]["1x1x1"], atol=1e-5)


@pytest.mark.thorough
def test_rows_that_cannot_be_spread_are_refused(sharded):
    text, rows = sharded["refused"]
    assert "training.mesh.sequence=4 does not divide the 510 tokens of a row" in text
    assert "model.max_length to a multiple of 4" in text
    assert "for training.mesh.sequence=8, exceed model.max_length=7; set it to 8 or more" in rows


@pytest.mark.thorough
def test_each_device_holds_its_share_of_a_batch(sharded):
    found, losses = sharded["temporary"], sharded["losses"]
    assert found["fsdp"] < 1.5 * found["data"]  # 4 times as much, if the rows of a batch were not split
    assert found["pieces"] < 0.6 * found["data"]
    for name in ("fsdp", "pieces"):
        np.testing.assert_allclose(losses[f"a batch by {name}"], losses["a batch by data"], atol=1e-5)


def test_a_mesh_that_does_not_fit():
    with pytest.raises(
        ValueError, match=r"data=64 x fsdp=1 x sequence=1 x tensor=1 does not fit 1 devices.*product 1"
    ):
        make_mesh(MeshConfig(data=64), 64)
    with pytest.raises(ValueError, match=r"seeds=3 x data=-1 .* does not fit 1 devices"):
        make_mesh(MeshConfig(seeds=3), 64, 3)
    with pytest.raises(ValueError, match=r"accumulation = 7 is not divisible by mesh data x fsdp = 2"):
        make_mesh(MeshConfig(data=1, fsdp=2), 7, devices=jax.devices() * 2)
    with pytest.raises(ValueError, match=r"mesh.tensor=0 must be at least 1"):
        MeshConfig(tensor=0)
    assert jax.device_count() == 1 and dict(make_mesh(MeshConfig(), 7).shape)["data"] == 1


def test_dimensions_that_do_not_divide_stay_whole():
    class Mesh:
        shape = {"data": 1, "fsdp": 4, "tensor": 2}

    def split(shape, axes):
        return tuple(spec(shape, axes, Mesh))

    assert split((16, 2, 8), ("embed", "heads", "head")) == ("fsdp", "tensor", None)
    assert split((15, 16), ("vocab", "embed")) == (None, "fsdp")
    assert split((3, 16, 64), ("embed", "mlp")) == (None, "fsdp", "tensor")  # stacked layers
    assert split((18, 3), ("embed", "heads")) == (None, None)
