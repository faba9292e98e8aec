"""Round trips with the reasons the engine gave and how far the price ran for and against them.

Excursion (J. Sweeney, "Maximum Adverse Excursion", Wiley 1997) is counted from bars and never overstated: of the
entry bar only what came after the fill is known to have been held, of the exit bar only what came before it.
So both bars count with their fill and with close or open; a market entry fills at the open and has its whole bar.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from research.backtest.result import CostedFill, Floats, ReplayResult
from research.backtest.round_trips import trips_of_result
from research.tear_sheet.rows import RowFinder
from shared.commands import Flatten, PlaceBracket
from shared.ids import parse_ref
from shared.io.bar_store import BarPanel
from shared.orders import Leg, OrderType, RoundTrip

DAY_S = 86_400
NS_PER_US = 1_000
EXIT_WORDS = {
    Leg.STOP_LOSS: "stop",
    Leg.TAKE_PROFIT: "target",
    Leg.EXIT: "exit",
    Leg.PROTECTION: "re-protection",
    Leg.ENTRY: "entry of the other side",
}


class Trip(Struct, frozen=True, kw_only=True):
    """One round trip as a page shows it. Money in currency, `profit` after commissions.

    `quantity` is signed; `mae_pct` (<= 0) and `mfe_pct` (>= 0) are percent of the entry price, None where the panel
    does not hold the bars. `bars` counts the rows from entry to exit.
    """

    strategy: str
    symbol: str
    quantity: int
    opened_at: datetime
    closed_at: datetime
    entry_price: float
    exit_price: float
    profit: float
    return_pct: float
    commission: float
    slippage: float
    bars: int
    mae_pct: float | None
    mfe_pct: float | None
    entry_reason: str
    exit_reason: str
    exit_leg: str


class _Reasons(NamedTuple):
    """Reasons by the reference of the order they led to, and the entries that were market orders."""

    of: dict[str, str]
    at_market: frozenset[str]


def trips_of(result: ReplayResult, panel: BarPanel | None) -> tuple[Trip, ...]:
    """The closed round trips of a replay of `panel`, in the order in which they ended."""
    trips = trips_of_result(result)
    reasons = _reasons(result)
    refs = _refs(result.fills)
    rows = RowFinder(result.curve)
    bars = None if panel is None else _Bars.of(panel, result)
    found = []
    for trip, slippage in zip(trips, _slippage(result.fills, trips), strict=True):
        entered_by = refs.get((trip.strategy, trip.symbol, trip.opened_at), "")
        left_by = refs.get((trip.strategy, trip.symbol, trip.closed_at), "")
        held = rows.from_instant(trip.opened_at), rows.from_instant(trip.closed_at)
        at_open = entered_by in reasons.at_market
        found.append(
            _trip(
                trip,
                slippage=slippage,
                bars=held[1] - held[0] + 1,
                excursion=(None, None) if bars is None else bars.excursion(trip, held, at_open=at_open),
                reasons=(reasons.of.get(entered_by, ""), reasons.of.get(left_by, "")),
            )
        )
    return tuple(found)


def _trip(
    trip: RoundTrip,
    *,
    slippage: float,
    bars: int,
    excursion: tuple[float | None, float | None],
    reasons: tuple[str, str],
) -> Trip:
    profit = trip.gross_profit - trip.commission
    return Trip(
        strategy=trip.strategy,
        symbol=trip.symbol,
        quantity=trip.quantity,
        opened_at=trip.opened_at,
        closed_at=trip.closed_at,
        entry_price=trip.entry_price,
        exit_price=trip.exit_price,
        profit=profit,
        return_pct=100.0 * profit / (abs(trip.quantity) * trip.entry_price),
        commission=trip.commission,
        slippage=slippage,
        bars=bars,
        mae_pct=excursion[0],
        mfe_pct=excursion[1],
        entry_reason=reasons[0],
        exit_reason=reasons[1],
        exit_leg=EXIT_WORDS[trip.exit_leg],
    )


def _reasons(result: ReplayResult) -> _Reasons:
    of: dict[str, str] = {}
    at_market = set()
    for decision in result.decisions:
        match decision.command:
            case PlaceBracket(bracket=bracket, reasons=reasons):
                of[bracket.entry.ref] = "; ".join(reasons)
                if bracket.entry.order_type is OrderType.MARKET:
                    at_market.add(bracket.entry.ref)
            case Flatten(order=order, reasons=reasons):
                of[order.ref] = "; ".join(reasons)
    return _Reasons(of, frozenset(at_market))


def _refs(fills: tuple[CostedFill, ...]) -> dict[tuple[str, str, datetime], str]:
    """The order that filled at an instant, by strategy and symbol; the last of several."""
    refs = {}
    for entry in fills:
        ref = parse_ref(entry.fill.ref)
        if ref is not None:
            refs[ref.strategy, entry.fill.symbol, entry.fill.filled_at] = entry.fill.ref
    return refs


def _slippage(fills: tuple[CostedFill, ...], trips: list[RoundTrip]) -> list[float]:
    """Slippage of the fills between entry and exit of every trip."""
    by_pair: dict[tuple[str, str], tuple[list[datetime], list[float]]] = {}
    for entry in fills:
        ref = parse_ref(entry.fill.ref)
        if ref is not None:
            times, lost = by_pair.setdefault((ref.strategy, entry.fill.symbol), ([], []))
            times.append(entry.fill.filled_at)
            lost.append(entry.slippage)
    return [
        sum(
            lost
            for at, lost in zip(*by_pair[trip.strategy, trip.symbol], strict=True)
            if trip.opened_at <= at <= trip.closed_at
        )
        for trip in trips
    ]


class _Bars(Struct, frozen=True, kw_only=True, eq=False):
    """The panel's bars in the rows of the replay: `rows[r]` is the panel's row of replayed row r, -1 = none.

    `splits` by symbol: the replayed row from which prices are those of after it, and new shares for one old.
    """

    panel: BarPanel
    rows: npt.NDArray[np.int64]
    column: dict[str, int]
    splits: dict[str, list[tuple[int, float]]]

    @classmethod
    def of(cls, panel: BarPanel, result: ReplayResult) -> _Bars:
        curve = result.curve
        if result.interval_s >= DAY_S:
            known = panel.opened_at.astype("datetime64[ns]").astype("datetime64[D]")
            asked = np.array(list(curve.sessions), dtype="datetime64[D]")
        else:
            known = panel.closed_at.astype("datetime64[ns]")
            asked = np.array([at.replace(tzinfo=None) for at in curve.closed_at], dtype="datetime64[ns]")
        rows = np.minimum(np.searchsorted(known, asked), len(panel) - 1)
        finder, splits = RowFinder(curve), dict[str, list[tuple[int, float]]]()
        for split in result.splits:
            splits.setdefault(split.symbol, []).append((finder.from_instant(split.at), split.new / split.old))
        return cls(
            panel=panel,
            rows=np.where(known[rows] == asked, rows, -1),
            column={symbol: at for at, symbol in enumerate(panel.symbols)},
            splits=splits,
        )

    def excursion(self, trip: RoundTrip, held: tuple[int, int], *, at_open: bool) -> tuple[float | None, float | None]:
        """Percent of the entry price the trip was under and above it at most; `held` are its first and last row."""
        rows = np.arange(held[0], held[1] + 1)
        if self.rows[rows].min() < 0:
            return None, None
        seen = self._seen(trip.symbol, rows, at_open=at_open) if len(rows) > 1 else np.empty(0)
        prices = np.concatenate(([trip.entry_price, trip.exit_price], seen))
        ratio = 100.0 * (prices / trip.entry_price - 1.0) * (1 if trip.quantity > 0 else -1)
        return float(np.nanmin(ratio)), float(np.nanmax(ratio))

    def _seen(self, symbol: str, rows: npt.NDArray[np.int64], *, at_open: bool) -> Floats:
        """Prices while the position was certainly held, on the scale of the last row, NaN among them."""
        column, panel, places = self.column[symbol], self.panel, self.rows[rows]
        scale = np.ones(len(rows))
        for first, ratio in self.splits.get(symbol, ()):
            if rows[0] < first <= rows[-1]:
                scale[rows < first] /= ratio
        low, high = panel.low[places, column] * scale, panel.high[places, column] * scale
        whole = slice(0 if at_open else 1, -1)
        edges = [panel.close[places[0], column] * scale[0], panel.open[places[-1], column]]
        return np.concatenate((low[whole], high[whole], edges))
