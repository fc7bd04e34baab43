"""A comparison of three cells and four seeds whose figures are easy to compute with."""

import pytest
from comparison_building import OVERALL, figures, finish, plan

from jaxgpt.comparison import results


@pytest.fixture(scope="session")
def compared(tmp_path_factory):
    """The directory of a finished comparison."""
    workdir = tmp_path_factory.mktemp("compared")
    finish(workdir, plan("--tokenizers", ",".join(OVERALL), seeds=4), figures)
    return workdir


@pytest.fixture(scope="session")
def found(compared):
    """Its results."""
    return results.read(results.Plan.read(compared), compared)
