"""A disk that fills up and a process that is killed, at every verb of the disk."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shared.errors import DataError
from shared.io.bar_library import BarStore
from shared.io.panel_of_bars import bars_of
from tests.ingest.builders import FailingDisk, a_walk, daily

ROOT = Path(__file__).resolve().parents[2]
BARS = daily(closes=a_walk(300))
EARLIER, REFRESH = BARS.at(slice(0, 150)), BARS.at(slice(100, 300))  # the refresh writes both years
VERBS = 10  # the folder; write, rename and sync of two parts and of the manifest


def test_an_append_of_two_years_asks_this_much_of_the_disk(tmp_path):
    BarStore(tmp_path).append("AAA", "1d", EARLIER, source="test")
    disk = FailingDisk(fails_at=-1)
    BarStore(tmp_path, disk=disk).append("AAA", "1d", REFRESH, source="test")
    assert disk.verbs == VERBS


@pytest.mark.parametrize("verb", range(VERBS))
def test_a_disk_that_fills_up_leaves_every_bar_and_the_next_try_completes(tmp_path, verb):
    BarStore(tmp_path).append("AAA", "1d", EARLIER, source="test")
    with pytest.raises(DataError, match="cannot be written: No space left on device"):
        BarStore(tmp_path, disk=FailingDisk(fails_at=verb)).append("AAA", "1d", REFRESH, source="test")
    assert [path for path in tmp_path.rglob(".*") if path.name != ".lock"] == []
    store = BarStore(tmp_path)
    left = bars_of(store.read(["AAA"], "1d"), "AAA")
    assert np.isin(EARLIER.opened_at, left.opened_at).all()
    assert len(store.spans()) == 1
    store.append("AAA", "1d", REFRESH, source="test")
    assert np.array_equal(bars_of(store.read(["AAA"], "1d"), "AAA").close, BARS.close)
    assert store.damaged_parts("AAA", "1d") == ()


@pytest.mark.process
def test_killed_at_any_verb_and_done_again_the_store_is_the_same(tmp_path):
    words = [sys.executable, "-m", "tests.ingest.kill_driver", str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120)
    found = json.loads(done.stdout)
    assert [each["signal"] for each in found["killed"]] == [9] * VERBS
    assert {each["again"] for each in found["killed"]} == {0}
    assert [each["held"] for each in found["killed"]] == [found["undisturbed"]] * VERBS
