"""What is set before JAX starts: in processes of their own, since it is set once."""

import json
import os
import stat
import subprocess
import sys

import pytest

from jaxgpt.core import settings

SHOW = """
import json, os, sys
{before}
from jaxgpt.core import settings
settings.apply()
settings.spread_seeds({seeds})
import jax, jax.numpy as jnp
jax.jit(lambda x: jnp.tanh(x @ x).sum())(jnp.ones((8, 8)))
print(json.dumps([jax.config.jax_compilation_cache_dir, jax.device_count()]))
"""


def run(tmp_path, *, seeds=1, before="", **environment):
    """The directory of the compilation cache and the number of devices of a new process."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JAX", "XLA", "XDG"))}
    kept |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "JAX_PLATFORMS": "cpu"} | environment
    code = SHOW.format(before=before, seeds=seeds)
    done = subprocess.run([sys.executable, "-c", code], env=kept, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.thorough
def test_programs_are_kept_where_the_user_alone_can_write(tmp_path):
    for before in ("", "import jax"):  # whether JAX was there before or not
        folder, _ = run(tmp_path, before=before)
        assert folder.startswith(str(tmp_path / "cache" / "jaxgpt" / "programs-"))
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700


@pytest.mark.thorough
def test_a_folder_that_others_can_open_is_not_used(tmp_path):
    folder, _ = run(tmp_path)
    os.chmod(folder, 0o770)
    assert run(tmp_path)[0] is None


@pytest.mark.thorough
def test_a_second_process_reads_what_the_first_compiled(tmp_path):
    environment = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    folder, _ = run(tmp_path, **environment)
    kept = {p.name for p in os.scandir(folder) if p.name.endswith("-cache")}
    assert any("lambda" in name for name in kept)
    run(tmp_path, **environment)
    assert {p.name for p in os.scandir(folder) if p.name.endswith("-cache")} == kept


@pytest.mark.thorough
def test_seeds_are_spread_over_cores(tmp_path):
    cores = settings.cores()
    assert run(tmp_path, seeds=1)[1] == 1
    assert run(tmp_path, seeds=cores)[1] == cores
    assert run(tmp_path, seeds=2 * cores + 1 if cores > 1 else 3)[1] in range(1, cores + 1)
    chosen = "--xla_force_host_platform_device_count=3"
    assert run(tmp_path, seeds=cores, XLA_FLAGS=chosen)[1] == 3
    # Devices that are there already stay.
    assert run(tmp_path, seeds=cores, before="import jax; jax.devices()")[1] == 1


def test_one_variable_switches_all_of_it_off(tmp_path):
    assert run(tmp_path, seeds=settings.cores(), JAXGPT_SETTINGS="off") == [None, 1]
    assert not (tmp_path / "cache").exists()


@pytest.mark.thorough
def test_what_the_user_has_set_stays(tmp_path):
    assert run(tmp_path, JAX_COMPILATION_CACHE_DIR=str(tmp_path / "mine"))[0] == str(tmp_path / "mine")
    before = f"import jax; jax.config.update('jax_compilation_cache_dir', {str(tmp_path / 'own')!r})"
    assert run(tmp_path, before=before)[0] == str(tmp_path / "own")


def test_a_home_that_cannot_be_written_to_is_no_error(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder would be")
    assert run(tmp_path)[0] is None


def test_a_switch_that_is_neither_on_nor_off(monkeypatch):
    monkeypatch.setenv(settings.SWITCH, "maybe")
    with pytest.raises(ValueError, match="JAXGPT_SETTINGS=maybe in the environment: on or off"):
        settings.apply()


def test_options_that_xla_does_not_know_are_left_out(monkeypatch):
    monkeypatch.delenv(settings.SWITCH, raising=False)
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    assert settings.for_training(on_gpu=True) == {"xla_gpu_dot_merger_threshold_mb": "0"}
    monkeypatch.setitem(settings._TRAINING, "xla_gpu_of_another_version", "1")
    assert settings.for_training(on_gpu=True) == {"xla_gpu_dot_merger_threshold_mb": "0"}
    monkeypatch.setenv(settings.SWITCH, "off")
    assert settings.for_training(on_gpu=True) == {}


def test_options_that_the_environment_sets_are_left_alone(monkeypatch):
    monkeypatch.delenv(settings.SWITCH, raising=False)
    monkeypatch.setenv("XLA_FLAGS", "--xla_gpu_dot_merger_threshold_mb=32")
    assert settings.for_training(on_gpu=True) == {} and settings.for_one_call(on_cpu=True)
    monkeypatch.setenv("XLA_FLAGS", "--xla_backend_optimization_level=3")
    assert settings.for_one_call(on_cpu=True) == {} and settings.for_training(on_gpu=True)


def test_elsewhere_than_on_the_device_it_is_for_nothing_is_said_to_xla(monkeypatch):
    monkeypatch.delenv(settings.SWITCH, raising=False)
    assert settings.for_training(on_gpu=False) == settings.for_one_call(on_cpu=False) == {}
