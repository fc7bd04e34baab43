"""Worker processes that end before their time."""

import os

import pytest

from jaxgpt.data.workers import spread


class Dies:
    """Ends the process that reads it."""

    def __reduce__(self):
        return os._exit, (137,)


@pytest.mark.parametrize(("given", "job"), [(Dies(), "never read"), (None, Dies())])
def test_a_worker_that_ends_is_told_whether_it_had_read_its_job_or_not(given, job):
    with pytest.raises(OSError, match=r"a worker process ended with status 137.*fewer --workers"):
        list(spread(max, given, [job, job], workers=2, tell=print))
