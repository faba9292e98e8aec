"""The same past in another process, under another hash seed, which never sees the real future.

What a strategy keeps in the memory of its process, or takes from the order of a set, differs there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np
from msgspec import structs

from research.lookahead.difference import first_difference
from research.lookahead.finding import Check, Finding, found
from research.lookahead.panels import VALUES, between, upside_down
from research.lookahead.subject import Raised, Said
from research.lookahead.target import Target, decode, encode
from shared.io.bar_store import BarPanel

SEEDS = ("1", "2")
TIMEOUT_S = 600
ROOT = Path(__file__).resolve().parents[2]


def other_processes(target: Target, panel: BarPanel) -> Check:
    """The first half of the rows in fresh processes whose second half is upside down."""
    name = "other process"
    cut = len(panel) // 2
    check = Check(name=name, did="the same there, future unseen", compared=cut * len(SEEDS))
    subject = target.subject(panel.symbols)
    real = subject.answer(between(panel, 0, len(panel)), rows=cut)
    if cut < 1 or real.raised is not None:
        return structs.replace(check, compared=0)
    for seed in SEEDS:
        said = _in_another(target, upside_down(panel, cut), cut, seed)
        if isinstance(said, str):
            return structs.replace(check, findings=(Finding(check=name, what=said),))
        difference = first_difference(real, said, cut, exact=subject.exact)
        if difference is not None:
            what = f"in another process (hash seed {seed}): the order of a set, or memory of the real future"
            return structs.replace(check, findings=(found(name, what, difference, panel),))
    return check


def _in_another(target: Target, panel: BarPanel, cut: int, seed: str) -> Said | str:
    with tempfile.TemporaryDirectory(prefix="openbell-twin-") as name:
        folder = Path(name)
        np.savez(folder / "panel.npz", **{key: getattr(panel, key) for key in ("opened_at", "closed_at", *VALUES)})
        (folder / "symbols.json").write_bytes(msgspec.json.encode((panel.symbols, panel.interval_s)))
        (folder / "target.json").write_bytes(encode(target))
        ended = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "research.lookahead.twin", str(folder), str(cut)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if ended.returncode:
            last = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
            return f"it does not run in another process: {last}"
        return _read(folder, panel.symbols)


def main() -> None:
    """The twin's side: `python -m research.lookahead.twin FOLDER ROWS`."""
    folder, rows = Path(sys.argv[1]), int(sys.argv[2])
    symbols, interval_s = msgspec.json.decode((folder / "symbols.json").read_bytes(), type=tuple[tuple[str, ...], int])
    with np.load(folder / "panel.npz", allow_pickle=False) as stored:
        panel = BarPanel(symbols=symbols, interval_s=interval_s, **{name: stored[name] for name in stored})
    subject = decode((folder / "target.json").read_bytes()).subject(symbols)
    _write(folder, subject.answer(panel, rows=rows))


def _write(folder: Path, said: Said) -> None:
    np.save(folder / "values.npy", said.values)
    (folder / "said.json").write_bytes(msgspec.json.encode((said.words, said.raised)))


def _read(folder: Path, symbols: tuple[str, ...]) -> Said:
    wanted = tuple[list[tuple[tuple[str, str], ...]], Raised | None]
    words, raised = msgspec.json.decode((folder / "said.json").read_bytes(), type=wanted)
    return Said(symbols=symbols, values=np.load(folder / "values.npy"), words=words, raised=raised)


if __name__ == "__main__":
    main()
