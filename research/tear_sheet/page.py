"""One self-contained HTML file from a record: no request, no time of day, the same bytes for the same record."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from research.tear_sheet import bar_charts, tables, time_charts
from research.tear_sheet.chart import Chart
from research.tear_sheet.figures import groups_of, tiles_of
from research.tear_sheet.paths import HEIGHT, WIDTH
from research.tear_sheet.periods import years_of
from research.tear_sheet.record import Record
from research.tear_sheet.settings import settings_of
from research.tear_sheet.tables import Table
from research.tear_sheet.words import money, number, percent

if TYPE_CHECKING:
    from jinja2 import Template

HERE = Path(__file__).parent


class Panels(Struct, frozen=True, kw_only=True):
    """The drawings of a page by where they stand."""

    equity: tuple[Chart, ...]
    falls: Chart
    years: Chart | None
    rolling: tuple[Chart, ...]
    trading: tuple[Chart, ...]
    held: Chart | None
    trips: tuple[Chart, ...]

    @property
    def drawn(self) -> tuple[Chart, ...]:
        maybe = (self.falls, self.years, self.held)
        return (*self.equity, *self.rolling, *self.trading, *self.trips, *(one for one in maybe if one is not None))


def render(record: Record) -> bytes:
    """The page as UTF-8."""
    now = time_charts.timed(record)
    years = years_of(record.session_days, now.returns)
    theirs = () if now.benchmark is None else years_of(record.session_days, now.benchmark)
    panels = _panels(now, bar_charts.years_chart(years, theirs, now.versus) if len(years) > 1 else None)
    text = _template().render(
        record=record,
        measures=record.measures,
        title=record.title,
        period=_period(record),
        tiles=tiles_of(record),
        groups=groups_of(record),
        panels=panels,
        months=tables.heat_map(years),
        falls=tables.fall_table(record),
        trips=tables.trip_table(record),
        shares=_shares(record),
        settings=settings_of(record),
        data=_data(now, panels),
        number=number,
        percent=percent,
        money=money,
        width=WIDTH,
        height=HEIGHT,
        **_assets(),
    )
    return text.encode()


def _panels(now: time_charts.Timed, years: Chart | None) -> Panels:
    trips = now.record.trips
    excursions = bar_charts.excursion_chart(trips)
    outcomes = (bar_charts.outcome_chart(trips),) if trips else ()
    return Panels(
        equity=time_charts.equity_charts(now),
        falls=time_charts.drawdown_chart(now),
        years=years,
        rolling=time_charts.rolling_charts(now),
        trading=(
            time_charts.exposure_chart(now),
            time_charts.count_chart(now),
            bar_charts.turnover_chart(now.record),
        ),
        held=time_charts.held_chart(now),
        trips=outcomes if excursions is None else (*outcomes, excursions),
    )


def _shares(record: Record) -> tuple[Table, ...]:
    """Per strategy and per symbol; a table of one line would only repeat the headline."""
    strategies = tables.share_table(record.trips, "Strategy", lambda trip: trip.strategy)
    symbols = tables.share_table(record.trips, "Symbol", lambda trip: trip.symbol)
    return tuple(table for table in (strategies, symbols) if table.rows)


def _period(record: Record) -> str:
    measures = record.measures
    if measures.sessions == 1:
        return f"{measures.first_session}"
    return f"{measures.first_session} to {measures.last_session}"


def _data(now: time_charts.Timed, panels: Panels) -> str:
    """What page.js reads, safe inside a script element: `<` never stands in it."""
    charts = {chart.key: chart.hover for chart in panels.drawn if chart.read_outs}
    encoded = msgspec.json.encode({"at": list(now.axis.labels), "charts": charts}).decode()
    return encoded.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def _template() -> Template:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string((HERE / "page.html").read_text(encoding="utf-8"))


@cache
def _assets() -> dict[str, Any]:
    """Style and script, and the script's hash: the page's policy lets nothing else run."""
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {"style": style, "script": script, "policy": f"sha256-{digest}"}
