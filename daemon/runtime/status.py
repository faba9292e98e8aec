"""What the latest heartbeat and the journal tell, while the daemon runs or after it; asks no broker."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from daemon.runtime.executor import described
from shared.commands import CancelOrder, Flatten, PlaceBracket, ReplaceStop
from shared.errors import NotFound
from shared.io.journal import JournalPlace, JournalReader, writer_of
from shared.io.logging import HEARTBEAT
from shared.messages import decode_command

DECISIONS_SHOWN = 8
INTERVALS_MAX = 3
"""A heartbeat older than so many of its intervals is no sign of life."""
_EVERY_S = 10.0  # of heartbeats that do not say it
_ORDER_KINDS = tuple(kind.__name__ for kind in (PlaceBracket, ReplaceStop, Flatten, CancelOrder))


class Status(Struct, frozen=True, kw_only=True):
    """One glance: the last heartbeat, its age in wall seconds, the last orders with their reasons.

    `writer` is the process id of the living daemon, None if there is none: then all else is how it was left.
    """

    writer: int | None
    age_s: float
    heartbeat: dict[str, object]
    decisions: list[dict[str, object]]


def read_status(log_file: Path, journal_file: JournalPlace, now: datetime) -> Status:
    """The state of the daemon whose files these are.

    Raises:
        NotFound: no daemon has ever beaten here.
    """
    beats = last_heartbeats(log_file, 1)
    if not beats:
        raise NotFound(f"{log_file}: no heartbeat; `openbell run` writes one every few seconds")
    beat = beats[0]
    age_s = (now - datetime.fromisoformat(str(beat["at"])).astimezone(UTC)).total_seconds()
    return Status(
        writer=writer_of(journal_file),
        age_s=round(age_s, 1),
        heartbeat=beat,
        decisions=last_decisions(journal_file),
    )


def last_decisions(journal_file: JournalPlace, count: int = DECISIONS_SHOWN) -> list[dict[str, object]]:
    """The last order commands, newest first: when (market time), what, why; empty without a journal."""
    try:
        with JournalReader.open(journal_file) as journal:
            rows = journal.last_commands(count, _ORDER_KINDS)
    except NotFound:
        return []
    found: list[dict[str, object]] = []
    for at, payload in rows:
        match decode_command(payload):
            case PlaceBracket() | ReplaceStop() | Flatten() | CancelOrder() as command:
                found.append({"at": at, **described(command)})
    return found


def last_heartbeats(log_file: Path, count: int) -> list[dict[str, object]]:
    """The newest heartbeats of the log, oldest first; none if there is no log."""
    if not log_file.is_file():
        return []
    with log_file.open(encoding="utf-8") as lines:
        return list(deque((beat for line in lines if (beat := heartbeat_of(line))), maxlen=count))


def heartbeat_of(line: str) -> dict[str, object] | None:
    """The heartbeat in a log line; None for other lines and for one that is not written to its end yet."""
    if f'"{HEARTBEAT}"' not in line:
        return None
    try:
        facts = json.loads(line)
    except json.JSONDecodeError:
        return None
    return facts if isinstance(facts, dict) and facts.get("event") == HEARTBEAT else None


def screen(status: Status) -> Iterator[str]:
    """The lines of `openbell status`."""
    beat = status.heartbeat
    yield f"openbell {beat['mode']}  run {beat['run']}  heartbeat {status.age_s:g} s ago"
    if status.writer is None:
        yield "NOT RUNNING: what follows is how the daemon left it, the broker may know more"
    elif status.age_s > INTERVALS_MAX * interval_s(beat):
        yield f"NO HEARTBEAT for {status.age_s:g} s: process {status.writer} lives but may hang"
    else:
        yield from _block("verdict", _verdict(beat))
    reconciled = "reconciled" if beat["reconciled"] else "NOT reconciled"
    yield f"trading     {beat['state']}, broker {beat['connection']}, {reconciled}"
    yield f"market      {beat['market_at']}, session {beat['session']}: {beat.get('opens_at')} to {beat['closes_at']}"
    if beat.get("quiet"):
        yield f"quiet       {beat['quiet']}"
    yield f"ages        {_ages(beat)}"
    exposure = _money(beat["gross_exposure"])
    equity, day = _money(beat["equity"]), _money(beat["day_profit"])
    yield f"money       equity {equity}, day {day}, gross exposure {exposure}"
    yield from _block("positions", [_holding(held) for held in _items(beat["positions"])])
    yield from _block("working", [str(order) for order in _items(beat["working"])])
    yield from _block("locks", _named(beat["locks"]))
    for name in ("latches", "halted", "data_quality"):
        if beat.get(name):
            yield from _block(name.replace("data_quality", "data"), _named(beat[name]))
    yield from _block("decisions", [_decision(decision) for decision in status.decisions])


def heartbeat_line(beat: dict[str, object]) -> str:
    """One heartbeat on one line, for `openbell tail`."""
    held = ", ".join(f"{held['symbol']} {held['quantity']:+}" for held in _items(beat["positions"])) or "flat"
    marks = [f"{name} {beat[name]}" for name in ("unprotected", "unknown", "queue", "conflated") if beat.get(name)]
    causes = "".join(f"  [{cause}]" for cause in _items(beat.get("causes")))
    return (
        f"{str(beat['at'])[:19]}  {beat.get('verdict', '-')}  {beat['state']}  {beat['connection']}  "
        f"market {beat['market_at']}  {held}  day {_money(beat['day_profit'])}  {_ages(beat)}"
        f"{''.join(f'  {mark.upper()}' for mark in marks)}{causes}"
    )


def interval_s(beat: dict[str, object]) -> float:
    """How far apart that daemon's heartbeats are."""
    every_s = beat.get("every_s")
    return float(every_s) if isinstance(every_s, int | float) else _EVERY_S


def _verdict(beat: dict[str, object]) -> list[str]:
    causes = [str(cause) for cause in _items(beat.get("causes"))]
    first, *others = causes or ["nothing to say"]
    return [f"{str(beat.get('verdict', 'unknown')).upper()}: {first}", *others]


def _named(value: object) -> list[str]:
    """A mapping or a list as lines."""
    if isinstance(value, dict):
        return [f"{name or 'all'}: {', '.join(why) if isinstance(why, list) else why}" for name, why in value.items()]
    return [str(item) for item in _items(value)]


def _ages(beat: dict[str, object]) -> str:
    names = {"loop": "loop_age_s", "probe": "probe_age_s", "data": "data_age_s", "clock": "clock_offset_s"}
    return ", ".join(f"{name} {_seconds(beat[key])}" for name, key in names.items())


def _seconds(value: object) -> str:
    return f"{value:g} s" if isinstance(value, int | float) else "-"


def _money(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, int | float) else "-"


def _items(value: object) -> list[dict[str, object]]:
    return value if isinstance(value, list) else []


def _holding(held: dict[str, object]) -> str:
    stops = held["stops"]
    protection = ", ".join(stops) if isinstance(stops, list) and stops else "NOTHING"
    mark = "" if held["protected"] else "  NOT WHOLLY PROTECTED"
    return f"{held['symbol']} {held['quantity']:+} at {_money(held['average_price'])}, stop: {protection}{mark}"


def _decision(decision: dict[str, object]) -> str:
    reasons = decision["reasons"]
    why = "; ".join(str(reason) for reason in reasons) if isinstance(reasons, list) else ""
    what = " ".join(str(decision[key]) for key in ("side", "quantity", "symbol") if key in decision)
    return f"{str(decision['at'])[:19]}  {decision['command']}  {what or decision['ref']}  {why}"


def _block(title: str, lines: list[str]) -> Iterator[str]:
    for index, line in enumerate(lines or ["none"]):
        yield f"{title if index == 0 else '':<12}{line}"
