"""A strategy whose parameters change at given instants: the trade path of a walk-forward.

One instance per distinct setting sees every row from the warm-up on, so that each is warm when its time comes; only the
one in force speaks. What it does not mention keeps its last conviction: positions are held over the change.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from shared.market import BarRow, Universe
from shared.signals import Signal
from strategies.base import Strategy
from strategies.registry import load_strategy


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """From the first row that closes after `opens_at` on, `params` are in force."""

    opens_at: datetime
    params: dict[str, Any]


class ParameterSchedule(Strategy):
    """`kind` is the strategy, `schedule` the entries as JSON, earliest first; the first also holds before its time."""

    def __init__(self, universe: Universe, *, kind: str, base_dir: str, schedule: str) -> None:
        super().__init__(universe)
        entries = msgspec.json.decode(schedule, type=list[Entry])
        self._instances: dict[bytes, Strategy] = {}
        self._in_force: list[tuple[datetime, bytes]] = []
        for entry in entries:
            name = msgspec.json.encode(entry.params, order="sorted")
            if name not in self._instances:
                self._instances[name] = load_strategy(kind, universe, entry.params, Path(base_dir))
            self._in_force.append((entry.opens_at, name))

    def on_row(self, row: BarRow, closed_at: datetime, /) -> list[Signal]:
        while len(self._in_force) > 1 and closed_at > self._in_force[1][0]:
            del self._in_force[0]
        said = {name: instance.on_row(row, closed_at) for name, instance in self._instances.items()}
        return said[self._in_force[0][1]]
