"""Safeguards around the engine: journal, recovery, people, connection, data, clocks, secrets."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from daemon.engine.breakers import Breakers
from daemon.engine.pace import Pace
from risk.trading_state import TradingStates
from tests.simulation.safeguards.safeguard import Instead, Part, Safeguard, returning

WRITE_BEHIND_S = 0.05
_RUN_STARTED = "daemon.engine.engine:Engine._on_run_started"


def _written_later(make_durable: Any) -> Any:
    """What was handled is written a moment after it was carried out, in its order."""

    def instead(self: Any, handled: list[Any]) -> float:
        behind = vars(self).setdefault("_behind", [])
        behind.append(handled)
        asyncio.get_running_loop().call_later(WRITE_BEHIND_S, _catch_up, self, make_durable)
        return 0.0

    return instead


def _catch_up(loop: Any, make_durable: Any) -> None:
    behind, loop._behind = loop._behind, []
    events = [event for handled in behind for event in handled]
    if events:
        make_durable(loop, events)


def _after_catching_up(write_snapshot: Any) -> Any:
    """A snapshot is of what has been written."""

    def instead(self: Any) -> None:
        behind, self._behind = vars(self).get("_behind", []), []
        if events := [event for handled in behind for event in handled]:
            self._journal.append_all(events)
        write_snapshot(self)

    return instead


def _snapshot_alone(_state_at_end: Any) -> Any:
    """A start takes the last snapshot and leaves what came after it."""

    def instead(_journal: Any, snapshot: Any, _build_engine: Any, _code_version: str) -> tuple[bytes, list[Any]]:
        return snapshot.payload, []

    return instead


def _forgetting(**fresh: Any) -> Instead:
    """With each run these parts of the book begin anew."""

    def made(on_run_started: Any) -> Any:
        def instead(self: Any, event: Any) -> Any:
            for name, kind in fresh.items():
                setattr(self.book, name, kind())
            return on_run_started(self, event)

        return instead

    return made


def _resuming_all(resume: Any) -> Any:
    """`resume` ends what a limit has latched."""

    def instead(self: Any, event: Any) -> Any:
        self._book.breakers.reset(event.scope)
        return resume(self, event)

    return instead


def _giving_up(say_unreachable: Any) -> Any:
    """A broker that cannot be reached ends the run."""

    def instead(self: Any, reason: str, said: str) -> str:
        say_unreachable(self, reason, said)
        raise RuntimeError(f"the broker cannot be reached: {reason}")

    return instead


def _doing_nothing(_before: Any) -> Any:
    async def instead(*_args: Any, **_kwargs: Any) -> None:
        await asyncio.sleep(0)

    return instead


def _by_the_wall(clock_init: Any) -> Any:
    """Lengths of time are told by the wall's clock."""

    def instead(self: Any, *, may_follow: bool, monotonic: Any, wall: Any) -> None:
        del monotonic
        clock_init(self, may_follow=may_follow, monotonic=lambda: wall().timestamp(), wall=wall)

    return instead


def _never_retained(judge: Any) -> Any:
    """A retained message counts like any other."""

    def instead(self: Any, payload: bytes, *, is_retained: bool, now: datetime) -> Any:
        del is_retained
        return judge(self, payload, is_retained=False, now=now)

    return instead


def _as_it_is(_masked: Any) -> Any:
    return lambda value: value


def _as_it_was(_shown: Any) -> Any:
    return lambda match: match[0]


def _unsynced(prepare: Any) -> Any:
    """Nothing waits for the disk."""

    def instead(connection: Any, path: Any) -> None:
        prepare(connection, path)
        connection.execute("PRAGMA synchronous = OFF")

    return instead


OUTSIDE = (
    Safeguard(
        name="journal_before_bytes",
        guards="an order is durable before its first byte leaves",
        breaks=("I4", "I3", "I15"),
        parts=(
            Part("daemon.runtime.loop:EngineLoop._make_durable", _written_later),
            Part("daemon.runtime.loop:EngineLoop.write_snapshot", _after_catching_up),
        ),
    ),
    Safeguard(
        name="synced_journal",
        guards="what was acknowledged has reached the disk (synchronous = FULL)",
        breaks=("I15",),
        parts=(Part("shared.io.journal_sqlite:_prepare", _unsynced),),
    ),
    Safeguard(
        name="recovery_reads_the_tail",
        guards="a start knows also what came after the last snapshot",
        breaks=("I3", "I4", "I5", "I14", "I15"),
        parts=(Part("daemon.runtime.recovery:_state_at_end", _snapshot_alone),),
    ),
    Safeguard(
        name="halt_survives_restart",
        guards="what a person has set holds over restarts",
        breaks=("I14",),
        parts=(Part(_RUN_STARTED, _forgetting(trading_states=TradingStates)),),
    ),
    Safeguard(
        name="latches_survive_restart",
        guards="a limit that has tripped holds over restarts",
        breaks=("I7", "I14"),
        parts=(Part(_RUN_STARTED, _forgetting(breakers=Breakers)),),
    ),
    Safeguard(
        name="caps_survive_restart",
        guards="what was sent today is counted over restarts",
        breaks=("I8",),
        parts=(Part(_RUN_STARTED, _forgetting(pace=Pace)),),
    ),
    Safeguard(
        name="latches_need_a_reset",
        guards="`resume` does not end in passing what a limit has latched",
        breaks=("I7",),
        parts=(Part("daemon.engine.operator:Operator._resume", _resuming_all),),
    ),
    Safeguard(
        name="halt_pulls_entries",
        guards="with a halt, and with each report after it, working entries are cancelled",
        breaks=("I14",),
        parts=(
            Part("daemon.engine.trader:Trader.cancel_entries", returning([])),
            Part("daemon.engine.truth:Truth._cancel_forbidden_entries", returning([])),
        ),
    ),
    Safeguard(
        name="wishes_are_kept",
        guards="a flatten while nobody answers is carried out after the reconnect",
        breaks=("I14",),
        parts=(Part("daemon.engine.trader:Trader.fulfil_wishes", returning([])),),
    ),
    Safeguard(
        name="cancels_are_repeated",
        guards="a cancel without an answer is asked for again",
        breaks=("I14", "I16"),
        parts=(Part("daemon.engine.answers:Answers.on_cancel_silence", returning([])),),
    ),
    Safeguard(
        name="silence_is_a_loss",
        guards="a line that no longer answers is left and made anew",
        breaks=("I16", "I1", "I5"),
        parts=(Part("daemon.runtime.connection:Connection._ask_time", _doing_nothing),),
    ),
    Safeguard(
        name="tries_for_ever",
        guards="a broker that is away ends no run",
        breaks=("I16",),
        parts=(Part("daemon.runtime.connection:Connection._say_unreachable", _giving_up),),
    ),
    Safeguard(
        name="reports_by_the_clock",
        guards="the broker is asked for everything at regular times, not only on suspicion",
        breaks=("I19", "I5", "I16"),
        parts=(Part("daemon.runtime.reports:Reporter._pause_s", returning(1e9)),),
    ),
    Safeguard(
        name="streams_are_asked_again",
        guards="after 1101, or once silent, data streams are asked for again",
        breaks=("I16", "I10"),
        parts=(
            Part("brokers.ib.data_session:DataSession._renew", _doing_nothing),
            Part("brokers.ib.market_data:MarketData.silent_streams", returning([])),
        ),
    ),
    Safeguard(
        name="monotonic_time",
        guards="steps of the wall change no length of time",
        breaks=("I21", "I16"),
        parts=(Part("daemon.runtime.clock:MarketClock.__init__", _by_the_wall),),
    ),
    Safeguard(
        name="alerts_leave",
        guards="what is critical reaches a person outside",
        breaks=("I18",),
        parts=(Part("daemon.alerts.desk:AlertDesk.take", returning(None)),),
    ),
    Safeguard(
        name="redaction",
        guards="no secret and no account number stands in any output",
        breaks=("I20",),
        parts=(Part("shared.io.redaction:masked", _as_it_is), Part("shared.io.redaction:_shown", _as_it_was)),
    ),
    Safeguard(
        name="signatures",
        guards="a command that is not signed with the key changes nothing",
        breaks=("I14",),
        parts=(Part("daemon.control.envelope:Judge._is_signed", returning(value=True)),),
    ),
    Safeguard(
        name="nonces",
        guards="a signed command works once",
        breaks=("I14",),
        parts=(Part("daemon.control.envelope:Judge._replay", returning("")),),
    ),
    Safeguard(
        name="retained_commands",
        guards="a command that the MQTT broker keeps is not carried out with each connection",
        breaks=("I14",),
        parts=(Part("daemon.control.envelope:Judge.judge", _never_retained),),
    ),
)
