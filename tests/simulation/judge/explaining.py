"""A breach for a person: which run it was, what is broken, and what happened before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from tests.simulation.history import Record, Settings
from tests.simulation.judge.breach import Breach

WIDTH = 220
_LEFT_OUT = frozenset({"kind", "at", "process", "sequence", "client_id"})


def explained(history: Sequence[Record], breach: Breach, before: int = 40) -> str:
    """Seed, day, step (the line of the history), the breach, and the records up to it as readable lines."""
    first = history[0]
    seed, weather = (first.seed, first.weather) if isinstance(first, Settings) else ("?", "?")
    opens = first.sessions[0][0] if isinstance(first, Settings) and first.sessions else breach.at
    where = f"day {_moment(opens)[:10]}, step {breach.line}, {_moment(breach.at)}"
    head = f"{breach.invariant} seed {seed} ({weather}), {where}"
    begins = max(breach.line - before + 1, 0)
    lines = [line_of(record) for record in history[begins : breach.line + 1]]
    return "\n".join([head, f"  {breach.text}", *(f"  {line}" for line in lines)])


def line_of(record: Record) -> str:
    """One record: time, kind, and what it says, shortened."""
    fields: dict[str, Any] = msgspec.to_builtins(record)
    said = " ".join(
        f"{name}={_plain(value)}" for name, value in fields.items() if name not in _LEFT_OUT and _says(value)
    )
    line = f"{_moment(record.at)} {fields['kind']:<16} {said}"
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."


def _says(value: object) -> bool:
    return value is not None and value not in ("", [], {})


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_plain(one)}" for key, one in value.items() if _says(one)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_plain(one) for one in value) + "]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
