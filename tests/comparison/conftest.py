"""A comparison of three cells and eight seeds whose figures are easy to compute with."""

import pytest
from comparison_building import CURVES, OVERALL, figures, finish, plan

from jaxgpt.comparison import results


@pytest.fixture(scope="session")
def compared(tmp_path_factory):
    """The directory of a finished comparison."""
    workdir = tmp_path_factory.mktemp("compared")
    finish(workdir, plan("--tokenizers", ",".join(OVERALL), seeds=8), figures, CURVES.get)
    return workdir


@pytest.fixture(scope="session")
def found(compared):
    """Its results."""
    return results.read(results.Plan.read(compared), compared)
