"""What a replay leaves behind: decisions, fills, equity per row."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from shared.commands import Command, Notify
from shared.events import CommissionReported
from shared.orders import Fill

Floats = npt.NDArray[np.float64]


class Decision(Struct, frozen=True, kw_only=True):
    """One command of the engine and when it was given; everything the engine asked for is here, in order."""

    decided_at: datetime
    command: Command


class CostedFill(Struct, frozen=True, kw_only=True):
    """One execution with what it cost in currency: commission, and slippage against the price without it."""

    fill: Fill
    commission: float
    slippage: float


class EquityCurve(Struct, frozen=True, kw_only=True, eq=False):
    """One entry per replayed row, T rows: instants, sessions, and float64 arrays of shape (T,) in currency.

    `net_liquidation` is marked at the row's closes, `gross` is the market value of all positions, longs plus
    shorts.
    """

    closed_at: tuple[datetime, ...]
    sessions: tuple[date, ...]
    net_liquidation: Floats
    gross: Floats


class ReplayResult(Struct, frozen=True, kw_only=True, eq=False):
    """Everything one replay produced. `rows` of `symbols` at `interval_s`, from `starting_cash`."""

    symbols: tuple[str, ...]
    interval_s: int
    starting_cash: float
    decisions: tuple[Decision, ...]
    fills: tuple[CostedFill, ...]
    curve: EquityCurve

    @property
    def rows(self) -> int:
        return len(self.curve.closed_at)

    @property
    def notices(self) -> tuple[Notify, ...]:
        """What the engine wanted to tell a person."""
        return tuple(entry.command for entry in self.decisions if isinstance(entry.command, Notify))

    def decision_lines(self) -> list[bytes]:
        """The decision log, one JSON object per line, equal byte for byte between the drivers."""
        return [_ENCODER.encode(entry) for entry in self.decisions]

    def fill_lines(self) -> list[bytes]:
        """The fill log, one JSON object per line, equal byte for byte between the drivers."""
        return [_ENCODER.encode(entry) for entry in self.fills]


class ResultRecorder:
    """Takes note while a replay runs."""

    def __init__(self, *, symbols: tuple[str, ...], interval_s: int, starting_cash: float) -> None:
        self._symbols = symbols
        self._interval_s = interval_s
        self._starting_cash = starting_cash
        self._decisions: list[Decision] = []
        self._fills: list[tuple[Fill, float]] = []
        self._commissions: dict[str, float] = {}
        self._closed_at: list[datetime] = []
        self._sessions: list[date] = []
        self._net_liquidation: list[float] = []
        self._gross: list[float] = []

    def decided(self, at: datetime, command: Command) -> None:
        self._decisions.append(Decision(decided_at=at, command=command))

    def filled(self, fill: Fill, slippage: float) -> None:
        self._fills.append((fill, slippage))

    def charged(self, event: CommissionReported) -> None:
        self._commissions[event.exec_id] = event.commission

    def valued(self, closed_at: datetime, session: date, net_liquidation: float, gross: float) -> None:
        self._closed_at.append(closed_at)
        self._sessions.append(session)
        self._net_liquidation.append(net_liquidation)
        self._gross.append(gross)

    def result(self) -> ReplayResult:
        fills = tuple(
            CostedFill(fill=fill, commission=self._commissions.get(fill.exec_id, 0.0), slippage=slippage)
            for fill, slippage in self._fills
        )
        curve = EquityCurve(
            closed_at=tuple(self._closed_at),
            sessions=tuple(self._sessions),
            net_liquidation=np.array(self._net_liquidation, dtype=np.float64),
            gross=np.array(self._gross, dtype=np.float64),
        )
        return ReplayResult(
            symbols=self._symbols,
            interval_s=self._interval_s,
            starting_cash=self._starting_cash,
            decisions=tuple(self._decisions),
            fills=fills,
            curve=curve,
        )


_ENCODER = msgspec.json.Encoder()
