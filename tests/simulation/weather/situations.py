"""F1 to F22 of RELIABILITY.md 3 and the holes of ANCHORS.md 1e that show on the wire, as rules over a history.

A rule holds where the situation was there, not merely a fault that might lead to it: ids roll back *while an order of
ours worked*, an execution comes *while nobody could hear of it*.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from tests.simulation.history import (
    Broker,
    BrokerSeen,
    Fault,
    Journalled,
    LineChanged,
    OperatorAsked,
    ProcessEnded,
    ProcessStarted,
    Record,
    Sent,
    Told,
)
from tests.simulation.weather.scene import LOST, ORDERS_CLIENT, Scene
from tests.simulation.weather.trading_days import is_near_clock_change

NEW_YORK = ZoneInfo("America/New_York")
A_MINUTE_S = 60.0
A_RUN_S = float("inf")
WHOLE_SESSION_S = 6.5 * 3600
QUICK_S, FLUSHED_S, LONG_S, SILENT_S = 2.0, 0.5, 60.0, 10.0
OFTEN, OFTEN_WITHIN_S = 4, 600.0
ACCEPTED = '"accepted":true'
IN_USE = frozenset({"103", "326"})


class Situation(Struct, frozen=True, kw_only=True):
    """`holds` is asked about each record of the kinds `on`, with the scene before it; once in `once_in_s` it counts."""

    name: str
    text: str
    on: tuple[type[Record], ...]
    holds: Callable[[Scene, Any], bool]
    once_in_s: float = A_MINUTE_S


def _faults(*numbers: int) -> Callable[[Scene, Fault], bool]:
    """One of these faults of the gateway has really done something."""
    return lambda _scene, record: _is_gateway(record, *numbers)


def _is_gateway(record: Fault, *numbers: int) -> bool:
    return record.source == "gateway" and record.number in numbers and record.phase != "ended"


def _is_execution(record: Broker) -> bool:
    return record.what == "execution"


def _ids_rolled_back(scene: Scene, record: Fault) -> bool:
    return _is_gateway(record, 11) and scene.has_worked(record.at)


def _filled_unheard(scene: Scene, record: Broker) -> bool:
    return _is_execution(record) and scene.is_alive and scene.is_deaf


def _filled_under_1100(scene: Scene, record: Broker) -> bool:
    return _is_execution(record) and scene.is_alive and scene.is_away


def _doubled(scene: Scene, record: Fault | Sent) -> bool:
    """A second permId of one order, or a change that is sent while the servers are away."""
    if isinstance(record, Sent):
        return scene.is_away and (record.client_id, record.order_id) in scene.sent_ids
    return _is_gateway(record, 37)


def _not_answered(_scene: Scene, record: Journalled) -> bool:
    return record.name == "BrokerReported" and bool(record.event.get("unanswered"))


def _executions_not_answered(_scene: Scene, record: Journalled) -> bool:
    unanswered = record.event.get("unanswered") or ()
    return record.name == "BrokerReported" and any("exec" in str(one) or "fill" in str(one) for one in unanswered)


def _back_with_orders(scene: Scene, record: ProcessStarted) -> bool:
    return record.process > 1 and (bool(scene.working) or any(scene.positions.values()))


def _silence(scene: Scene, record: BrokerSeen) -> bool:
    return scene.line == "up" and scene.silent_for(record.at, SILENT_S)


def _half_open(scene: Scene, record: Fault | LineChanged) -> bool:
    if isinstance(record, LineChanged):
        return record.state == "deaf" and scene.is_alive
    return _is_gateway(record, 7) and scene.line == "up"


def _back_after_long(scene: Scene, record: LineChanged) -> bool:
    """Up again after more than a minute in the same life."""
    is_orders = record.client_id == ORDERS_CLIENT and record.state == "up"
    return is_orders and scene.line_lost_at > scene.started_at and record.at - scene.line_lost_at > LONG_S


def _id_taken(scene: Scene, record: Told | ProcessStarted) -> bool:
    if isinstance(record, ProcessStarted):
        return record.at - scene.ended_at <= QUICK_S and bool(scene.working)
    return record.name == "error" and str(record.fields.get("code")) in IN_USE


def _ended_while_sending(scene: Scene, record: ProcessEnded) -> bool:
    return record.at - scene.sent_at <= FLUSHED_S


def _clocks_differ(_scene: Scene, record: Sent) -> bool:
    return _is_near_change(dt.datetime.fromtimestamp(record.at, NEW_YORK).date())


@cache
def _is_near_change(day: dt.date) -> bool:
    return is_near_clock_change(day)


def _half_day(scene: Scene, record: Sent) -> bool:
    sessions = scene.settings.sessions if scene.settings is not None else ()
    return any(opens <= record.at < closes and closes - opens < WHOLE_SESSION_S for opens, closes in sessions)


def _login_missing(scene: Scene, record: Fault) -> bool:
    return _is_gateway(record, 17) and scene.is_alive


def _split_of_ours(scene: Scene, record: Broker) -> bool:
    symbol = record.record.get("symbol", "")
    if record.what != "split":
        return False
    return bool(scene.positions[symbol]) or record.at - scene.worked_at.get(symbol, -A_RUN_S) <= A_MINUTE_S


def _filled_again_and_again(scene: Scene, record: Broker | Fault) -> bool:
    """So many entries filled in one instrument in ten minutes, or both legs of a pair."""
    if isinstance(record, Fault):
        return _is_gateway(record, 35)
    entries = scene.entries.get(str(record.record.get("symbol")), ())
    recent = sum(record.at - at <= OFTEN_WITHIN_S for at, _ in entries)
    return _is_execution(record) and recent >= OFTEN


def _clock_wrong(_scene: Scene, record: Fault) -> bool:
    return record.source == "clock" or _is_gateway(record, 52)


def _warmed_up_again(_scene: Scene, record: Journalled) -> bool:
    return record.process > 1 and record.name == "BarsClosed" and bool(record.event.get("warm_up"))


def _dead_for_long(scene: Scene, record: ProcessStarted) -> bool:
    sessions = scene.settings.sessions if scene.settings is not None else ()
    is_in_session = any(opens <= record.at < closes for opens, closes in sessions)
    return is_in_session and LONG_S <= record.at - scene.ended_at < A_RUN_S


def _disk_or_commit(_scene: Scene, record: Fault) -> bool:
    is_commit = record.source == "process" and "commit" in record.name
    return (record.source == "disk" and record.phase != "ended") or is_commit


def _reduced(_scene: Scene, record: OperatorAsked) -> bool:
    return record.verb == "reduce" and ACCEPTED in record.reply


def _fetched(scene: Scene, record: Told) -> bool:
    """An execution that is first told in answer to a question."""
    fields = record.fields
    is_answer = record.name == "execDetails" and str(fields.get("reqId", "-1")) != "-1"
    return is_answer and str(fields.get("execId", "")) not in scene.told_executions


def _lost(_scene: Scene, record: Told) -> bool:
    return record.name == "error" and str(record.fields.get("code")) in LOST


def _unlisted(_scene: Scene, record: Told) -> bool:
    return record.name == "error" and str(record.fields.get("code")) == "399"


SITUATIONS: tuple[Situation, ...] = (
    Situation(name="F1", text="order ids rolled back while an order worked", on=(Fault,), holds=_ids_rolled_back),
    Situation(name="F2", text="filled while nothing could be heard of it", on=(Broker,), holds=_filled_unheard),
    Situation(name="F3", text="two live orders of one, or a change under 1100", on=(Fault, Sent), holds=_doubled),
    Situation(name="F4", text="a question was not answered in whole", on=(Journalled,), holds=_not_answered),
    Situation(name="F5", text="started again over orders or a position", on=(ProcessStarted,), holds=_back_with_orders),
    Situation(name="F6", text="a live order drew a warning", on=(Fault,), holds=_faults(26)),
    Situation(name="F7", text="an order without any answer for ten seconds", on=(BrokerSeen,), holds=_silence),
    Situation(name="F8", text="a half-open line", on=(Fault, LineChanged), holds=_half_open),
    Situation(
        name="F9", text="back after more than a minute without a line", on=(LineChanged,), holds=_back_after_long
    ),
    Situation(name="F10", text="reports doubled, late or out of order", on=(Fault,), holds=_faults(19, 20, 22, 23)),
    Situation(name="F11", text="an id in use, or back at once over orders", on=(Told, ProcessStarted), holds=_id_taken),
    Situation(name="F12", text="ended within moments of sending", on=(ProcessEnded,), holds=_ended_while_sending),
    Situation(
        name="F13", text="traded in a week of changed clocks", on=(Sent,), holds=_clocks_differ, once_in_s=A_RUN_S
    ),
    Situation(name="F14", text="traded on a half day", on=(Sent,), holds=_half_day, once_in_s=A_RUN_S),
    Situation(name="F15", text="the gateway waits for a login", on=(Fault,), holds=_login_missing),
    Situation(name="F16", text="a split of what is held or works", on=(Broker,), holds=_split_of_ours),
    Situation(name="F17", text="filled again and again", on=(Broker, Fault), holds=_filled_again_and_again),
    Situation(name="F18", text="streams silent on a living line", on=(Fault,), holds=_faults(14, 43)),
    Situation(name="F19", text="a clock was wrong", on=(Fault,), holds=_clock_wrong),
    Situation(name="F20", text="warmed up anew in mid-run", on=(Journalled,), holds=_warmed_up_again),
    Situation(name="F21", text="dead for a minute in the session", on=(ProcessStarted,), holds=_dead_for_long),
    Situation(name="F22", text="a disk fault, or death around a commit", on=(Fault,), holds=_disk_or_commit),
    Situation(name="hole 1", text="people asked to reduce", on=(OperatorAsked,), holds=_reduced),
    Situation(name="hole 2", text="executions were not answered", on=(Journalled,), holds=_executions_not_answered),
    Situation(name="hole 3", text="a cancel was never answered", on=(Fault,), holds=_faults(32)),
    Situation(name="hole 5", text="a stop leg was refused alone", on=(Fault,), holds=_faults(28)),
    Situation(name="hole 6", text="a half-open line", on=(Fault, LineChanged), holds=_half_open),
    Situation(name="hole 7", text="filled under 1100", on=(Broker,), holds=_filled_under_1100),
    Situation(name="hole 8", text="order ids rolled back while an order worked", on=(Fault,), holds=_ids_rolled_back),
    Situation(name="hole 11", text="399 on an order", on=(Told,), holds=_unlisted),
    Situation(name="hole 14", text="a fill that was fetched, not told", on=(Told,), holds=_fetched),
    Situation(name="hole 15", text="1100 was told", on=(Told,), holds=_lost),
)
