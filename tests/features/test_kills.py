"""A build that is killed by SIGKILL in the middle: what is there is whole, and the same command goes on from there."""

import os
import signal
import sys

import pytest

from research.features.job import run_job
from tests.features.builders import NAMES, a_market, built, files_of, first_days


class DiesAtWrite:
    """A crew in this process that is killed in its n-th fsync, as a power cut would."""

    def __init__(self, at: int) -> None:
        self._left = at

    def outcomes(self, work, panel, jobs):
        real = os.fsync

        def fsync(handle):
            self._left -= 1
            if self._left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            real(handle)

        os.fsync = fsync  # in a fork of its own, which does not live on
        return (run_job(panel, job) for job in jobs)


@pytest.mark.parametrize("at", [0, 3, 9, 20, 33])
def test_a_killed_build_goes_on_and_ends_with_the_files_of_one_that_was_not(at, tmp_path):
    panel = a_market()
    built(first_days(panel, 60), tmp_path / "killed")
    built(first_days(panel, 60), tmp_path / "whole")
    built(panel, tmp_path / "whole")
    sys.stdout.flush()
    child = os.fork()
    if not child:
        built(panel, tmp_path / "killed", crew=DiesAtWrite(at))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    done = built(panel, tmp_path / "killed")
    assert (done.kept + done.extended, done.rebuilt) == (len(NAMES), 0)
    assert files_of(tmp_path / "killed") == files_of(tmp_path / "whole")
