"""Everything a tear sheet shows, as it is stored beside it: made once from a replay, rendered as often as wanted."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from research.backtest.result import Floats, ReplayResult
from research.measures.measured import Measures
from research.measures.stamp import Stamp
from research.tear_sheet.benchmark import Benchmark
from research.tear_sheet.caveats import caveats_of
from research.tear_sheet.holdings import Holding, holdings_of
from research.tear_sheet.rows import RowFinder
from research.tear_sheet.trips import Trip, trips_of
from shared.config import Config
from shared.io.bar_store import BarPanel

SECTIONS = ("universe", "bars", "session", "strategy", "execution", "risk", "replay", "insiders")
"""What of a config decides a replay; the rest (accounts, hosts, secrets' names) is nobody's business here."""

TABLES = ("actions", "borrow", "rates", "spreads")
DENIED_SHOWN = 8
FIGURE = re.compile(r"\d[\d.,:-]*(?<![.,:])(?: \d\d:\d\d:\d\d)?")


class Series(Struct, frozen=True, kw_only=True, eq=False):
    """Per replayed row, T rows.

    Float64 of shape (T,), in currency: `equity` and `gross` at the row's close, `traded` all that was bought or sold.
    """

    closed_at: tuple[datetime, ...]
    sessions: tuple[date, ...]
    equity: Floats
    gross: Floats
    traded: Floats

    @property
    def ends(self) -> list[int]:
        """The last row of each session."""
        last = len(self.sessions) - 1
        return [at for at, day in enumerate(self.sessions) if at == last or self.sessions[at + 1] != day]


class Record(Struct, frozen=True, kw_only=True, eq=False):
    """One replay, ready to be shown."""

    title: str
    symbols: tuple[str, ...]
    interval_s: int
    currency: str
    data_name: str
    starting_cash: float
    measures: Measures
    stamp: Stamp | None
    config: dict[str, Any]
    caveats: tuple[str, ...]
    denied: dict[str, int]
    holdings: tuple[Holding, ...]
    trips: tuple[Trip, ...]
    series: Series
    benchmark: Benchmark | None

    @property
    def session_days(self) -> tuple[date, ...]:
        """Each session once, S of them."""
        return tuple(self.series.sessions[at] for at in self.series.ends)

    @property
    def closes(self) -> Floats:
        """Starting cash, then equity at each session's close; shape (S + 1,)."""
        return np.concatenate(([self.starting_cash], self.series.equity[self.series.ends]))


def record_of(  # noqa: PLR0913 - keywords: what a page is made of
    result: ReplayResult,
    config: Config,
    panel: BarPanel,
    *,
    measures: Measures,
    stamp: Stamp | None = None,
    benchmark: Benchmark | None = None,
    data_name: str = "",
) -> Record:
    """The record of a replay of `panel` under `config`; `data_name` is what a reader may know of where it came from."""
    trips = trips_of(result, panel)
    return Record(
        title=_title(config, result.symbols),
        symbols=result.symbols,
        interval_s=result.interval_s,
        currency=config.universe.currency,
        data_name=data_name,
        starting_cash=result.starting_cash,
        measures=measures,
        stamp=stamp,
        config=_deciding(config),
        caveats=caveats_of(result, config, panel, measures=measures, benchmark=benchmark),
        denied=_denied(result),
        holdings=holdings_of(result),
        trips=trips,
        series=_series(result),
        benchmark=benchmark,
    )


def _title(config: Config, symbols: tuple[str, ...]) -> str:
    strategies = " + ".join(strategy.name for strategy in config.strategies)
    return f"{strategies} on {symbols[0] if len(symbols) == 1 else f'{len(symbols)} symbols'}"


def _deciding(config: Config) -> dict[str, Any]:
    dumped = config.model_dump(mode="json", by_alias=True)
    shown = {name: dumped[name] for name in SECTIONS}
    for table in TABLES:
        shown["replay"][table] = Path(shown["replay"][table]).name
    shown["bars"]["actions"] = Path(shown["bars"]["actions"]).name
    shown["risk"]["groups_file"] = Path(shown["risk"]["groups_file"]).name
    shown["insiders"]["table"] = Path(shown["insiders"]["table"]).name
    for strategy in shown["strategy"]:
        strategy["kind"] = Path(strategy["kind"]).name
    return shown


def _denied(result: ReplayResult) -> dict[str, int]:
    """How often the risk gate refused an entry, by its words without the figures, the most frequent first."""
    texts = (notice.text for notice in result.notices if notice.code == "entry_denied")
    return dict(Counter(FIGURE.sub("…", text.partition(": ")[2]) for text in texts).most_common(DENIED_SHOWN))


def _series(result: ReplayResult) -> Series:
    curve = result.curve
    rows = RowFinder(curve)
    traded = np.zeros(result.rows)
    for entry in result.fills:
        traded[rows.from_instant(entry.fill.filled_at)] += entry.fill.quantity * entry.fill.price
    return Series(
        closed_at=tuple(curve.closed_at),
        sessions=tuple(curve.sessions),
        equity=curve.net_liquidation,
        gross=curve.gross,
        traded=traded,
    )
