"""Appends in processes of their own that are killed at one verb of the disk after the other, and appends again.

Prints one JSON object: what the folder held after the kill and the second try, per verb, and after one undisturbed run.
"""

import json
import os
import sys
from hashlib import sha256
from pathlib import Path
from shutil import copytree

from shared.io.bar_disk import RealDisk
from shared.io.bar_library import BarStore
from shared.io.bar_manifest import session_days
from tests.ingest.builders import DeadlyDisk, a_walk, daily

FIRST_YEAR, BOTH = slice(0, 150), slice(100, 300)


def in_a_child(work):
    """The signal that ended it, 0 for none; Arrow's threads never live in the parent."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def append(folder, disk, part):
    bars = daily(closes=a_walk(300))
    BarStore(folder, disk=disk).append("AAA", "1d", bars.at(part), source="test")


def held(folder):
    """Names and contents of all that a reader sees; a manifest says when its parts were written."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def main(work):
    session_days("XNYS")  # computed once, known to every child
    undisturbed, before = work / "undisturbed", work / "before"
    in_a_child(lambda: append(before, RealDisk(), FIRST_YEAR))
    copytree(before, undisturbed)
    in_a_child(lambda: append(undisturbed, RealDisk(), BOTH))
    found = []
    for number in range(100):
        folder = work / str(number)
        copytree(before, folder)
        signal = in_a_child(lambda folder=folder, number=number: append(folder, DeadlyDisk(number), BOTH))
        again = in_a_child(lambda folder=folder: append(folder, RealDisk(), BOTH))
        if not signal:
            break
        found.append({"signal": signal, "again": again, "held": held(folder)})
    print(json.dumps({"undisturbed": held(undisturbed), "killed": found}))  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(Path(sys.argv[1]))
