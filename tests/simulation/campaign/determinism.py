"""Each seed in two fresh interpreters that hash strings differently: the histories must be equal, byte for byte."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from msgspec import Struct

from tests.simulation.plan import Weather

ROOT = Path(__file__).resolve().parents[3]
HASH_SEEDS = ("1", "4242")
_FOLDER = re.compile(rb"openbell-sim-[\w-]+")
"""Where a run keeps its files: the one word of a history that is drawn anew each time."""
_SHOWN = 240
_LEAVES_WITHIN_S = 10.0


class Compared(Struct, frozen=True, kw_only=True):
    """`digest` of both runs; `difference` says where they part, empty if nowhere."""

    seed: int
    digest: str
    records: int = 0
    difference: str = ""


def compared(seeds: Iterable[int], weather: Weather, wall_s: float) -> Iterator[Compared]:
    """Each seed's two runs, both at the same time."""
    for seed in seeds:
        with TemporaryDirectory(prefix="openbell-determinism-") as folder:
            paths = [Path(folder) / hash_seed for hash_seed in HASH_SEEDS]
            yield _compared(seed, paths, _played_twice(seed, weather, wall_s, paths))


def determinism_of(found: list[Compared], weather: str, seeds: range) -> dict[str, Any]:
    """The comparison as plain values. Different seeds with one history are chance that never reached the run."""
    first: dict[str, int] = {}
    twins = [
        {"seeds": [other, each.seed], "digest": each.digest}
        for each in found
        if each.digest and (other := first.setdefault(each.digest, each.seed)) != each.seed
    ]
    differences = [{"seed": each.seed, "difference": each.difference} for each in found if each.difference]
    return {
        "kind": "determinism",
        "weather": weather,
        "seeds": {"first": seeds.start, "end": seeds.stop},
        "hash_seeds": list(HASH_SEEDS),
        "held": not twins and not differences and len(found) == len(seeds),
        "compared": len(found),
        "records": sum(each.records for each in found),
        "digests": {str(each.seed): each.digest for each in found},
        "differences": differences,
        "twins": twins,
    }


def determinism_lines(facts: dict[str, Any]) -> Iterator[str]:
    """The comparison in words."""
    for each in facts["differences"]:
        yield f"DIFFERENT seed {each['seed']} ({facts['weather']}): {each['difference']}"
    for each in facts["twins"]:
        yield f"EQUAL seeds {each['seeds'][0]} and {each['seeds'][1]} ({facts['weather']}) have one history"
    equal = facts["compared"] - len(facts["differences"])
    yield (
        f"simulate: {equal} of {facts['compared']} seeds ({facts['weather']}) gave equal histories in two interpreters "
        f"with PYTHONHASHSEED {' and '.join(facts['hash_seeds'])}; {facts['records']:,} records compared"
    )


def first_difference(one: bytes, other: bytes) -> str:
    """Where two histories part, empty if nowhere; the folder of the run is left out of account."""
    pairs = zip_longest(_lines(one), _lines(other), fillvalue=b"(nothing)")
    for number, (left, right) in enumerate(pairs):
        if left != right:
            return f"record {number}: {_around(left, right)} against {_around(right, left)}"
    return ""


def _lines(history: bytes) -> list[bytes]:
    return _FOLDER.sub(b"", history).splitlines()


def _around(line: bytes, other: bytes) -> str:
    """The stretch of a line where it leaves the other one."""
    common = next((at for at, pair in enumerate(zip(line, other, strict=False)) if pair[0] != pair[1]), 0)
    return line[max(0, common - _SHOWN // 2) :][:_SHOWN].decode(errors="replace")


def _compared(seed: int, paths: list[Path], said: list[str]) -> Compared:
    faults = [text for text, path in zip(said, paths, strict=True) if not path.exists()]
    if faults:
        return Compared(seed=seed, digest="", difference=f"a run did not end: {faults[0]}")
    one, other = (path.read_bytes() for path in paths)
    digests = [_digest(text) for text in said]
    difference = first_difference(one, other)
    if not difference and digests[0] != digests[1]:
        difference = f"equal records, but digests {digests[0]} and {digests[1]}"
    return Compared(seed=seed, digest=digests[0], records=len(one.splitlines()), difference=difference)


def _digest(said: str) -> str:
    return str(msgspec.json.decode(said)["digest"])


def _played_twice(seed: int, weather: Weather, wall_s: float, paths: list[Path]) -> list[str]:
    """What the two interpreters print; the last line of their complaints where they print nothing."""
    command = [sys.executable, "-m", "openbell", "simulate", "--json", "--day-limit", f"{wall_s:.0f}s"]
    runs = [
        subprocess.Popen(
            [*command, "--replay", str(seed), "--weather", weather, "--history", str(path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": path.name},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for path in paths
    ]
    try:
        return [out or err.strip().rpartition("\n")[2] for out, err in (run.communicate() for run in runs)]
    finally:
        for run in runs:
            _ended(run)


def _ended(run: subprocess.Popen[str]) -> None:
    """Ended in good order if possible: it has a child of its own."""
    run.terminate()
    try:
        run.wait(_LEAVES_WITHIN_S)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()
