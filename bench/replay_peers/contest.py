"""What a peer is given, a folder with the panel as plain arrays, and what it prints: one JSON line.

Every peer is a process of its own, so that its imports, its memory and its compiled code are its own. It may run in
another environment than ours, so this file needs nothing but numpy. What counts is processor time, from the start of
the process on: that of a busy machine is nobody's.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 2
Facts = dict[str, Any]


class Given:
    """The panel (float64 arrays (T, n), int64 nanoseconds (T,)) and the workload's numbers."""

    def __init__(self, folder: Path, name: str) -> None:
        import numpy as np

        self.name = name
        facts = json.loads((folder / f"{name}.json").read_text())
        self.symbols: list[str] = facts["symbols"]
        self.params: dict[str, int] = facts["params"]
        self.share, self.stop_pct, self.target_pct, self.cash = (
            float(facts[key]) for key in ("share", "stop_pct", "target_pct", "cash")
        )
        self.has_brackets = self.target_pct > 0
        fields = ("opened_at", "closed_at", "open", "high", "low", "close", "volume")
        self.arrays = {field: np.load(folder / f"{name}.{field}.npy") for field in fields}

    def __getattr__(self, field: str) -> Any:  # noqa: ANN401 - an array of the panel
        return self.arrays[field]


def take_part(run: Callable[[Given], tuple[int, float]], prepare: Callable[[], None] | None = None) -> None:
    """Run as a process: import seconds, seconds of each round, fills, final equity, peak memory in MB."""
    folder, name = Path(sys.argv[1]), sys.argv[2]
    if prepare is not None:
        prepare()
    imported = time.process_time()
    given = Given(folder, name)
    base = _memory_mb()
    taken = []
    for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else ROUNDS):  # noqa: PLR2004 - program, folder, name
        began = time.process_time()
        fills, equity = run(given)
        taken.append(time.process_time() - began)
    facts = {"seconds": min(taken), "first_s": taken[0], "import_s": imported, "fills": fills, "equity": equity}
    print(json.dumps({**facts, "memory_mb": _memory_mb(), "memory_before_mb": base}))


def _memory_mb() -> float:
    """The peak since this program was started; getrusage would tell that of who started it, where it is higher."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
