"""Fixtures that several folders share."""

import contextlib
import ctypes
import os
import resource
from pathlib import Path

# The user's cache of programs would outlive the tests; tiny_runs has one for their time.
os.environ.setdefault("JAXGPT_SETTINGS", "off")

import jax
import pytest
from hypothesis import settings
from jaxtyping import config as shapes
from jaxtyping import install_import_hook

#: For the layers' shape annotations; this must stand before jaxgpt.nn is imported.
install_import_hook("jaxgpt.nn", "beartype.beartype")

# A machine that compiles beside a test is slow without being wrong.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")

#: Small training runs, used by several folders.
pytest_plugins = ["tiny_runs"]


@pytest.fixture(autouse=True, scope="module")
def checked_shapes(request):
    """Annotated shapes are checked where every layer and every architecture is called.

    It takes a third of the time of a test that traces models.
    """
    checked = request.path.parent.name == "nn" or request.path.name == "test_architectures.py"
    shapes.update("jaxtyping_disable", not checked)


@pytest.fixture(autouse=True, scope="module")
def released_programs():
    """Compiled programs are let go after each file; all of them together would take gigabytes."""
    yield
    jax.clear_caches()
    with contextlib.suppress(OSError, AttributeError):  # glibc keeps for itself what compilers have freed
        ctypes.CDLL("libc.so.6").malloc_trim(0)


#: The most memory that each process took, in KiB: this one's, or those of xdist's workers.
_LARGEST = pytest.StashKey[list]()


def pytest_sessionfinish(session):
    """A worker tells how much memory it took at most; a test that takes gigabytes is a defect."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    getattr(session.config, "workeroutput", {})["largest"] = most
    session.config.stash.setdefault(_LARGEST, []).append(most)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    node.config.stash.setdefault(_LARGEST, []).append(getattr(node, "workeroutput", {}).get("largest", 0))


def pytest_terminal_summary(terminalreporter, config):
    terminalreporter.write_line(f"most memory of one process: {max(config.stash[_LARGEST]) / 2**20:.1f} GiB")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of large test files that are no part of the project: $JAXGPT_DATA or ../shared/data."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("JAXGPT_DATA", beside))
    if not path.is_dir():
        pytest.skip(f"no test data at {path}; set JAXGPT_DATA")
    return path
