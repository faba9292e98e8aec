"""The tables of a page: months, falls, round trips, and what each strategy and symbol brought."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

from msgspec import Struct

from research.tear_sheet.periods import Year
from research.tear_sheet.record import Record
from research.tear_sheet.trips import DAY_S, Trip
from research.tear_sheet.words import money, number, percent

NEW_YORK = ZoneInfo("America/New_York")
TRIPS_SHOWN = 400
SYMBOLS_SHOWN = 60
SHADES = 4
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Cell(Struct, frozen=True, kw_only=True):
    """`text` as shown; `kind` its class in page.css."""

    text: str
    kind: str = ""


class Table(Struct, frozen=True, kw_only=True):
    """Columns (name, whether figures stand in it) and rows; `note` says what is not shown."""

    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    @property
    def aligned(self) -> str:
        """The classes of page.css that put text columns to the left: `t1 t4`; one per column, not per cell."""
        return " ".join(f"t{at}" for at, (_, is_figure) in enumerate(self.columns, start=1) if not is_figure)


def heat_map(years: tuple[Year, ...]) -> Table:
    """Months across, years down; shaded by size against the 90th percentile of all months."""
    sizes = sorted(abs(value) for year in years for value in year.months.values())
    full = sizes[math.ceil(0.9 * len(sizes)) - 1] if sizes else 1.0
    columns = (("Year", False), *((month, True) for month in MONTHS), ("Year's", True))
    rows = []
    for year in reversed(years):
        cells = [_shaded(year.months.get(month), full) for month in range(1, len(MONTHS) + 1)]
        total = Cell(text=number(year.total_pct, 1), kind="total")
        rows.append((Cell(text=str(year.year)), *cells, total))
    return Table(columns=columns, rows=tuple(rows))


def fall_table(record: Record) -> Table:
    """The deepest falls from the highest equity before."""
    falls = record.measures.drawdown.worst
    columns = ("Depth", True), ("Top", False), ("Lowest", False), ("Recovered", False), ("Sessions", True)
    rows = tuple(
        (
            Cell(text=percent(-fall.depth_pct)),
            Cell(text=fall.peak.isoformat()),
            Cell(text=fall.trough.isoformat()),
            Cell(text=fall.recovered.isoformat() if fall.recovered else "not yet"),
            Cell(text=f"{fall.sessions:,}"),
        )
        for fall in falls
    )
    return Table(columns=columns, rows=rows)


TRIP_COLUMNS = (
    ("Symbol", False),
    ("Strategy", False),
    ("Shares", True),
    ("Entry", False),
    ("Exit", False),
    ("Bars", True),
    ("In at", True),
    ("Out at", True),
    ("Profit", True),
    ("Return", True),
    ("Worst", True),
    ("Best", True),
    ("Left by", False),
    ("Reasons", False),
)


def trip_table(record: Record) -> Table:
    """The round trips; of many, those that won or lost most."""
    trips = record.trips
    shown = trips
    note = ""
    if len(trips) > TRIPS_SHOWN:
        chosen = set(sorted(range(len(trips)), key=lambda at: -abs(trips[at].profit))[:TRIPS_SHOWN])
        shown = tuple(trip for at, trip in enumerate(trips) if at in chosen)
        note = f"The {TRIPS_SHOWN} of {len(trips):,} round trips that won or lost most; all are in round_trips.parquet."
    daily = record.interval_s >= DAY_S
    table = Table(columns=TRIP_COLUMNS, rows=tuple(_trip(trip, daily=daily) for trip in shown), note=note)
    return table if len({trip.strategy for trip in trips}) > 1 else _without(table, "Strategy")


def _without(table: Table, name: str) -> Table:
    """The table without the column of that name."""
    kept = [at for at, (column, _) in enumerate(table.columns) if column != name]
    return Table(
        columns=tuple(table.columns[at] for at in kept),
        rows=tuple(tuple(row[at] for at in kept) for row in table.rows),
        note=table.note,
    )


def _trip(trip: Trip, *, daily: bool) -> tuple[Cell, ...]:
    form = "%Y-%m-%d" if daily else "%Y-%m-%d %H:%M"
    opened, closed = (at.astimezone(NEW_YORK) for at in (trip.opened_at, trip.closed_at))
    reasons = " \N{RIGHTWARDS ARROW} ".join(text for text in (trip.entry_reason, trip.exit_reason) if text)
    return (
        Cell(text=trip.symbol),
        Cell(text=trip.strategy),
        _figure(trip.quantity, lambda value: number(value, 0)),
        Cell(text=f"{opened:{form}}"),
        Cell(text=f"{closed:{form}}"),
        _figure(trip.bars, lambda value: number(value, 0)),
        _figure(trip.entry_price, number),
        _figure(trip.exit_price, number),
        _figure(trip.profit, lambda value: money(value, sign=True), signed=True),
        _figure(trip.return_pct, lambda value: percent(value, sign=True)),
        _figure(trip.mae_pct, percent),
        _figure(trip.mfe_pct, percent),
        Cell(text=trip.exit_leg),
        Cell(text=reasons, kind="why"),
    )


def share_table(trips: Iterable[Trip], name: str, of: Callable[[Trip], str]) -> Table:
    """What the round trips of each group brought, the best first."""
    groups: dict[str, list[Trip]] = {}
    for trip in trips:
        groups.setdefault(of(trip), []).append(trip)
    ranked = sorted(groups.items(), key=lambda group: -sum(trip.profit for trip in group[1]))
    columns = (
        (name, False),
        ("Round trips", True),
        ("Won", True),
        ("Profit", True),
        ("Average", True),
        ("Commission", True),
        ("Slippage", True),
        ("Bars held", True),
    )
    half = SYMBOLS_SHOWN // 2
    kept = ranked if len(ranked) <= SYMBOLS_SHOWN else ranked[:half] + ranked[-half:]
    note = f"The {half} best and the {half} worst of {len(ranked)}." if len(kept) < len(ranked) else ""
    return Table(columns=columns, rows=tuple(_share(*group) for group in kept), note=note)


def _share(name: str, trips: list[Trip]) -> tuple[Cell, ...]:
    profit = math.fsum(trip.profit for trip in trips)
    return (
        Cell(text=name),
        _figure(len(trips), lambda value: f"{value:,.0f}"),
        _figure(100.0 * sum(trip.profit > 0 for trip in trips) / len(trips), lambda value: percent(value, 1)),
        _figure(profit, lambda value: money(value, sign=True), signed=True),
        _figure(profit / len(trips), lambda value: money(value, sign=True), signed=True),
        _figure(math.fsum(trip.commission for trip in trips), money),
        _figure(math.fsum(trip.slippage for trip in trips), money),
        _figure(sum(trip.bars for trip in trips) / len(trips), lambda value: number(value, 1)),
    )


def _figure(value: float | None, written: Callable[[float], str], *, signed: bool = False) -> Cell:
    if value is None:
        return Cell(text="")
    kind = ("gain" if value > 0 else "loss" if value < 0 else "") if signed else ""
    return Cell(text=written(value), kind=kind)


def _shaded(value: float | None, full: float) -> Cell:
    if value is None:
        return Cell(text="")
    shade = min(math.ceil(SHADES * abs(value) / full), SHADES) if full and round(value, 1) else 0
    return Cell(text=number(value, 1), kind=f"{'up' if value > 0 else 'down'}{shade}" if shade else "")
