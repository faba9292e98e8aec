"""SIGKILL at any moment of a night, started again: it ends as if nothing had happened."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES_WRITTEN = 23
"""Eight steps are begun and ended with a record each, and seven files are made."""


@pytest.mark.process
def test_killed_before_or_after_any_durable_write_and_started_again_the_night_ends_the_same(tmp_path):
    command = [sys.executable, "-m", "tests.nightly.killing", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["well"], told["differing"]) == (True, [])
    assert told["points"] >= 2 * FILES_WRITTEN
