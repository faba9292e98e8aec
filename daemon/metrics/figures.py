"""Every figure that Prometheus may ask for; names end in their unit, labels are few and bounded.

Two sources: each heartbeat's facts, and each batch of events that became durable. A fault here is logged once and
nothing else happens: figures are for looking at.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import structlog
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram

from daemon.runtime.verdict import Level
from risk.trading_state import TradingState
from shared.commands import Command, Flatten, PlaceBracket
from shared.events import BarsClosed, BrokerReported, Event, OrderFilled
from shared.orders import OrderStatus

_log = structlog.get_logger("openbell")
SYMBOLS_MAX = 200
"""Labels beyond this number cost more than they tell; the oldest of all is a figure of its own."""
_AWAITED_MAX = 10_000
_LIVE = tuple(status for status in OrderStatus if not status.is_final)
_COMMIT_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_FILL_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)
_BY_FACT = {
    "queue": ("queue_events", "Events that wait for the engine", 1.0),
    "lag_ms": ("loop_lag_seconds", "How late the last heartbeat was", 1e-3),
    "memory_mb": ("memory_bytes", "Resident memory", 1e6),
    "tasks": ("tasks", "asyncio tasks alive", 1.0),
    "disk_free_mb": ("disk_free_bytes", "Free on the disk of state_dir", 1e6),
    "uptime_s": ("uptime_seconds", "Since the start of this run", 1.0),
    "reconnects": ("reconnects", "Times the broker was lost and found since the start", 1.0),
    "probe_age_s": ("probe_age_seconds", "Since the broker told its time", 1.0),
    "clock_offset_s": ("clock_offset_seconds", "Our clock minus the broker's", 1.0),
    "equity": ("equity", "Net liquidation in currency", 1.0),
    "day_profit": ("day_profit", "Equity since the session's start, in currency", 1.0),
    "gross_exposure": ("gross_exposure", "Sum of absolute positions in currency", 1.0),
    "exposure_limit": ("exposure_limit", "What risk.max_gross_exposure allows, in currency", 1.0),
    "slippage": ("day_slippage", "Fills against the prices they were decided on, in currency", 1.0),
    "round_trips": ("round_trips", "Round trips of the session", 1.0),
    "unknown": ("unknown_orders", "Orders whose fate is not known", 1.0),
    "unprotected": ("unprotected_positions", "Positions that stops do not wholly cover", 1.0),
    "reconciled": ("reconciled", "1 if broker and book have been compared since the last connect", 1.0),
    "session_open": ("session_open", "1 while the exchange is open", 1.0),
}
_BY_CHANNEL = {
    "sent": ("alerts_sent", "Messages that got out since the start"),
    "failed": ("alerts_failed", "Attempts that did not"),
    "waiting": ("alerts_waiting", "Messages on their way"),
    "last_success_age_s": ("alert_channel_age_seconds", "Since a message last got out"),
}
Facts = dict[str, object]


class Figures:
    """Owns the registry; `on_beat` is a sink of the heartbeat, `on_durable` a listener of the loop."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self.registry = CollectorRegistry()
        self._symbols = tuple(symbols)
        self._of_facts = {key: self._gauge(name, text) for key, (name, text, _) in _BY_FACT.items()}
        self._of_channels = {key: self._gauge(name, text, "channel") for key, (name, text) in _BY_CHANNEL.items()}
        self._beat_at = self._gauge("heartbeat_timestamp_seconds", "When the last heartbeat was, Unix time")
        self._broker_up = self._gauge("broker_up", "1 while orders can be sent")
        self._locks = self._gauge("locks", "Instruments locked because broker and book differ")
        self._latches = self._gauge("latches", "Limits that have tripped and wait for a person")
        self._positions = self._gauge("positions", "Open positions")
        self._orders = self._gauge("orders", "Orders that are not over", "state")
        self._data_age = self._gauge("data_age_seconds", "Market seconds since the last bar", "symbol")
        self._data_age_max = self._gauge("data_age_max_seconds", "The same, of the symbol that is silent longest")
        self._reconcile_age = self._gauge("reconcile_age_seconds", "Market seconds since the last complete report")
        states = [state.value for state in TradingState]
        self._state = Enum("openbell_trading_state", "The account's", states=states, registry=self.registry)
        levels = [level.value for level in Level]
        self._verdict = Enum("openbell_verdict", "The heartbeat's", states=levels, registry=self.registry)
        self._fills = Counter("openbell_fills", "Executions", registry=self.registry)
        self._events = Counter("openbell_events", "Events handled", registry=self.registry)
        self._commit = Histogram(
            "openbell_commit_seconds", "One durable write of the journal", buckets=_COMMIT_S, registry=self.registry
        )
        self._fill_latency = Histogram(
            "openbell_fill_latency_seconds",
            "From the decision for an entry or a closing order to its first execution, market time",
            buckets=_FILL_S,
            registry=self.registry,
        )
        self._last_bar_s = np.full(len(self._symbols), np.nan)
        self._complete_at: datetime | None = None
        self._awaited: dict[str, datetime] = {}
        self._has_failed = False

    def on_beat(self, facts: Facts) -> None:
        """Take the figures of one heartbeat."""
        for key, gauge in self._of_facts.items():
            gauge.set(_number(facts.get(key)) * _BY_FACT[key][2])
        self._beat_at.set_to_current_time()
        self._broker_up.set(facts.get("connection") == "up")
        self._locks.set(_size(facts.get("locks")))
        self._latches.set(_size(facts.get("latches")))
        self._positions.set(_size(facts.get("positions")))
        self._state.state(str(facts["state"]).partition(",")[0])
        self._verdict.state(str(facts["verdict"]))
        self._count_orders(facts.get("working"))
        self._take_channels(facts.get("alerts"))
        self._take_ages(datetime.fromisoformat(str(facts["market_at"])))

    def on_durable(self, handled: Sequence[tuple[Event, Sequence[Command]]], took_s: float) -> None:
        """Take what the loop has just made durable and carried out; never raises."""
        try:
            self._commit.observe(took_s)
            self._events.inc(len(handled))
            for event, commands in handled:
                self._take_event(event)
                for command in commands:
                    self._take_command(command, event.received_at)
        except Exception:  # noqa: BLE001 - the loop must not end for a figure
            if not self._has_failed:
                self._has_failed = True
                _log.exception("figures_incomplete")

    def _take_event(self, event: Event) -> None:
        match event:
            case BarsClosed():
                printed = np.isfinite(event.row.close)
                self._last_bar_s[printed] = event.closed_at.timestamp()
            case BrokerReported(is_complete=True):
                self._complete_at = event.received_at
            case OrderFilled(fill=fill):
                self._fills.inc()
                decided_at = self._awaited.pop(fill.ref, None)
                if decided_at is not None:
                    self._fill_latency.observe((event.received_at - decided_at).total_seconds())
            case _:
                pass  # all others are counted only

    def _take_command(self, command: Command, at: datetime) -> None:
        match command:
            case PlaceBracket(bracket=bracket):
                self._awaited[bracket.entry.ref] = at
            case Flatten(order=order):
                self._awaited[order.ref] = at
            case _:
                return  # resting orders have no latency to speak of
        if len(self._awaited) > _AWAITED_MAX:
            self._awaited.pop(next(iter(self._awaited)))

    def _count_orders(self, working: object) -> None:
        counts = {status.value: 0 for status in _LIVE}
        for line in working if isinstance(working, list) else []:
            state = str(line).rsplit(" ", 2)[-2]
            counts[state] = counts.get(state, 0) + 1
        for state, count in counts.items():
            self._orders.labels(state).set(count)

    def _take_channels(self, channels: object) -> None:
        for name, facts in channels.items() if isinstance(channels, dict) else ():
            for key, gauge in self._of_channels.items():
                gauge.labels(name).set(_number(facts.get(key)))

    def _take_ages(self, market_at: datetime) -> None:
        ages = market_at.timestamp() - self._last_bar_s
        for symbol, age_s in zip(self._symbols[:SYMBOLS_MAX], ages.tolist(), strict=False):
            self._data_age.labels(symbol).set(age_s)
        self._data_age_max.set(float(np.nanmax(ages)) if np.isfinite(ages).any() else float("nan"))
        if self._complete_at is not None:
            self._reconcile_age.set((market_at - self._complete_at).total_seconds())

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"openbell_{name}", text, labels, registry=self.registry)


def _number(value: object) -> float:
    """NaN for what is not known: a figure that is not there must not read as zero."""
    return float(value) if isinstance(value, int | float) else float("nan")


def _size(value: object) -> int:
    return len(value) if isinstance(value, dict | list) else 0
