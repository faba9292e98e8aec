"""What the fills and round trips of a replay say, for the whole and per strategy and instrument.

Round trips run from entry to flat per strategy and instrument (research/backtest/round_trips.py); what is open at the
end is not among them. Their profit is after commissions; slippage is in the prices already.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct

from research.backtest.result import CostedFill, ReplayResult
from research.measures.equity import RUIN, sessions_of
from research.measures.series import DAYS_PER_YEAR, PERCENT
from shared.ids import parse_ref
from shared.orders import RoundTrip

FOREIGN = "(foreign)"
"""The strategy of fills whose reference is not ours."""


class TripFigures(Struct, frozen=True, kw_only=True):
    """Figures of round trips, money in currency; None where there is none of the kind.

    `profit_factor` is everything won over everything lost, `expectancy` the mean profit, `expectancy_pct` the mean
    profit over the value entered, `payoff_ratio` the mean winner over the mean loser.
    """

    round_trips: int
    hit_rate_pct: float | None
    profit_factor: float | None
    expectancy: float | None
    expectancy_pct: float | None
    payoff_ratio: float | None
    profit: float
    losses_in_a_row_max: int
    holding_s_mean: float | None


class SliceFigures(Struct, frozen=True, kw_only=True):
    """The share of one strategy or one instrument, called `name`."""

    name: str
    fills: int
    traded: float
    commission: float
    slippage: float
    trips: TripFigures


class TradingFigures(Struct, frozen=True, kw_only=True):
    """How the whole traded. `traded` is the value of everything bought and sold, in currency.

    `turnover_annual` is that over the mean equity, per 252 sessions; `exposure_pct` the mean of (longs + shorts) over
    equity on rows with equity left; `time_in_market_pct` the share of rows with a position.
    """

    fills: int
    traded: float
    turnover_annual: float | None
    exposure_pct: float | None
    time_in_market_pct: float
    trips: TripFigures


def trading_figures(result: ReplayResult, trips: Sequence[RoundTrip]) -> TradingFigures:
    """The figures of `result`, whose round trips these are."""
    traded = traded_value(result.fills)
    turnover = turnover_of(result)
    return TradingFigures(
        fills=len(result.fills),
        traded=traded,
        turnover_annual=None if turnover is None else turnover * DAYS_PER_YEAR / len(sessions_of(result.curve)),
        exposure_pct=exposure_pct(result),
        time_in_market_pct=PERCENT * float(np.mean(result.curve.gross > 0)),
        trips=trip_figures(trips),
    )


def traded_value(fills: Iterable[CostedFill]) -> float:
    """Quantity times price of every fill, in currency."""
    return math.fsum(entry.fill.quantity * entry.fill.price for entry in fills)


def turnover_of(result: ReplayResult) -> float | None:
    """Everything bought and sold over the mean equity, for the whole run; None without equity."""
    equity = result.curve.net_liquidation
    known = equity[np.isfinite(equity)]
    mean = float(np.mean(known)) if len(known) else 0.0
    return traded_value(result.fills) / mean if mean > RUIN * result.starting_cash else None


def exposure_pct(result: ReplayResult) -> float | None:
    """Mean of (longs + shorts) over equity, on rows with equity left; None if there is no such row."""
    curve = result.curve
    alive = curve.net_liquidation > RUIN * result.starting_cash
    return PERCENT * float(np.mean(curve.gross[alive] / curve.net_liquidation[alive])) if alive.any() else None


def trip_figures(trips: Sequence[RoundTrip]) -> TripFigures:
    """The figures of these round trips, in the order in which they ended."""
    profits = np.array([trip.gross_profit - trip.commission for trip in trips], dtype=np.float64)
    if len(profits) == 0:
        return _NO_TRIPS
    entered = np.array([abs(trip.quantity) * trip.entry_price for trip in trips], dtype=np.float64)
    won, lost = profits[profits > 0], profits[profits < 0]
    held_s = math.fsum((trip.closed_at - trip.opened_at).total_seconds() for trip in trips)
    return TripFigures(
        round_trips=len(profits),
        hit_rate_pct=PERCENT * len(won) / len(profits),
        profit_factor=float(won.sum() / -lost.sum()) if len(lost) else None,
        expectancy=float(profits.mean()),
        expectancy_pct=PERCENT * float(np.mean(profits / entered)) if (entered > 0).all() else None,
        payoff_ratio=float(won.mean() / -lost.mean()) if len(won) and len(lost) else None,
        profit=math.fsum(profits.tolist()),
        losses_in_a_row_max=_longest_run(profits < 0),
        holding_s_mean=held_s / len(profits),
    )


def by_strategy(result: ReplayResult, trips: Sequence[RoundTrip]) -> tuple[SliceFigures, ...]:
    """One entry per strategy that traded, in alphabetical order."""
    fills: dict[str, list[CostedFill]] = {}
    for entry in result.fills:
        ref = parse_ref(entry.fill.ref)
        fills.setdefault(FOREIGN if ref is None else ref.strategy, []).append(entry)
    ended: dict[str, list[RoundTrip]] = {}
    for trip in trips:
        ended.setdefault(trip.strategy, []).append(trip)
    return tuple(_slice(name, fills[name], ended.get(name, [])) for name in sorted(fills))


def by_instrument(result: ReplayResult, trips: Sequence[RoundTrip]) -> tuple[SliceFigures, ...]:
    """One entry per symbol that was traded, in alphabetical order."""
    fills: dict[str, list[CostedFill]] = {}
    for entry in result.fills:
        fills.setdefault(entry.fill.symbol, []).append(entry)
    ended: dict[str, list[RoundTrip]] = {}
    for trip in trips:
        ended.setdefault(trip.symbol, []).append(trip)
    return tuple(_slice(name, fills[name], ended.get(name, [])) for name in sorted(fills))


def _slice(name: str, fills: Sequence[CostedFill], trips: Sequence[RoundTrip]) -> SliceFigures:
    return SliceFigures(
        name=name,
        fills=len(fills),
        traded=traded_value(fills),
        commission=math.fsum(entry.commission for entry in fills),
        slippage=math.fsum(entry.slippage for entry in fills),
        trips=trip_figures(trips),
    )


def _longest_run(flags: np.ndarray) -> int:
    """Length of the longest run of True."""
    longest = running = 0
    for flag in flags.tolist():
        running = running + 1 if flag else 0
        longest = max(longest, running)
    return longest


_NO_TRIPS = TripFigures(
    round_trips=0,
    hit_rate_pct=None,
    profit_factor=None,
    expectancy=None,
    expectancy_pct=None,
    payoff_ratio=None,
    profit=0.0,
    losses_in_a_row_max=0,
    holding_s_mean=None,
)
