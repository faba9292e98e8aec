"""What a replay leaves behind: decisions, fills, equity per row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from brokers.simulated.costs.charging import FillCosts
from research.backtest.timeline import TimelineRows
from shared.commands import Command, Notify
from shared.events import CommissionReported
from shared.orders import Fill

Floats = npt.NDArray[np.float64]
CashFlowKind = Literal["dividend", "distribution", "cash_in_lieu", "borrow_fee", "debit_interest", "credit_interest"]


class Decision(Struct, frozen=True, kw_only=True, gc=False):
    """One command of the engine and when it was given; everything the engine asked for is here, in order."""

    decided_at: datetime
    command: Command


class CostedFill(Struct, frozen=True, kw_only=True, gc=False):
    """One execution with what it cost in currency: commission, and slippage against the price without it.

    `commission` is all that the broker reports of the execution; `exchange_fees` and `regulatory_fees` are the parts of
    it that others take. `slippage_spread` and `slippage_impact` are parts of `slippage`, the rest is fixed.
    """

    fill: Fill
    commission: float
    slippage: float
    exchange_fees: float = 0.0
    regulatory_fees: float = 0.0
    slippage_spread: float = 0.0
    slippage_impact: float = 0.0


class CashFlow(Struct, frozen=True, kw_only=True):
    """Money that no execution moved: `amount` in currency, positive in our favour; `symbol` empty where there is none.

    `session` is the one at whose open it was booked.
    """

    at: datetime
    session: date
    kind: CashFlowKind
    symbol: str
    amount: float


class ShareSplit(Struct, frozen=True, kw_only=True):
    """`new` shares for `old` ones of a symbol, held or not; `at` is the open of its `session`, before the first fill.

    A position becomes whole shares, toward 0; what is left over was paid out (a CashFlow of kind cash_in_lieu).
    """

    at: datetime
    session: date
    symbol: str
    new: int
    old: int

    def of(self, shares: int) -> int:
        """What becomes of so many (signed) shares."""
        whole = abs(shares) * self.new // self.old
        return whole if shares > 0 else -whole


class EquityCurve(Struct, frozen=True, kw_only=True, eq=False):
    """One entry per replayed row, T rows: instants, sessions, and float64 arrays of shape (T,) in currency.

    `net_liquidation` is marked at the row's closes, `gross` is the market value of all positions, longs plus
    shorts.
    """

    closed_at: Sequence[datetime]
    sessions: Sequence[date]
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
    cash_flows: tuple[CashFlow, ...] = ()
    splits: tuple[ShareSplit, ...] = ()
    notes: tuple[str, ...] = ()
    """What of the tables of [replay] was not believed, a line each."""
    analyzers: tuple[Any, ...] = ()
    """What was attached of backtrader's, as it stands after the run, in the order given."""
    observers: tuple[Any, ...] = ()

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

    def __init__(self, *, symbols: tuple[str, ...], interval_s: int, starting_cash: float, rows: TimelineRows) -> None:
        self._symbols = symbols
        self._interval_s = interval_s
        self._starting_cash = starting_cash
        self._decisions: list[Decision] = []
        self._fills: list[tuple[Fill, FillCosts]] = []
        self._cash_flows: list[CashFlow] = []
        self._splits: list[ShareSplit] = []
        self._commissions: dict[str, float] = {}
        self._rows = rows
        self.net_liquidation: Floats = np.full(len(rows), np.nan)
        self.gross: Floats = np.full(len(rows), np.nan)

    def decided(self, at: datetime, commands: Sequence[Command]) -> None:
        """Note what the engine has asked for at one event."""
        for command in commands:
            self._decisions.append(Decision(decided_at=at, command=command))

    def filled(self, fill: Fill, costs: FillCosts) -> None:
        self._fills.append((fill, costs))

    def flowed(self, flows: Iterable[CashFlow]) -> None:
        self._cash_flows.extend(flows)

    def split(self, splits: Iterable[ShareSplit]) -> None:
        self._splits.extend(splits)

    def charged(self, event: CommissionReported) -> None:
        self._commissions[event.exec_id] = event.commission

    def valued(self, at: int, net_liquidation: float, gross: float) -> None:
        """Note what the account was worth at the close of row `at`."""
        self.net_liquidation[at] = net_liquidation
        self.gross[at] = gross

    def result(self, notes: tuple[str, ...] = ()) -> ReplayResult:
        fills = tuple(
            CostedFill(
                fill=fill,
                commission=self._commissions.get(fill.exec_id, 0.0),
                slippage=costs.slippage,
                exchange_fees=costs.charges.exchange,
                regulatory_fees=costs.charges.regulatory,
                slippage_spread=costs.slippage_spread,
                slippage_impact=costs.slippage_impact,
            )
            for fill, costs in self._fills
        )
        curve = EquityCurve(
            closed_at=self._rows.closed_at,
            sessions=self._rows.sessions,
            net_liquidation=self.net_liquidation,
            gross=self.gross,
        )
        return ReplayResult(
            symbols=self._symbols,
            interval_s=self._interval_s,
            starting_cash=self._starting_cash,
            decisions=tuple(self._decisions),
            fills=fills,
            curve=curve,
            cash_flows=tuple(self._cash_flows),
            splits=tuple(self._splits),
            notes=notes,
        )


_ENCODER = msgspec.json.Encoder()
