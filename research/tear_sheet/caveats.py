"""What this backtest cannot show, said about this one run: no list of general warnings that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from research.backtest.result import ReplayResult
from research.measures.measured import Measures
from research.tear_sheet.benchmark import Benchmark
from shared.config import Config
from shared.io.bar_store import BarPanel

FEW_SESSIONS, FEW_TRIPS = 252, 30
SPLITS = np.array([1 / 20, 1 / 10, 1 / 7, 1 / 5, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 2.0, 3.0, 4.0, 5.0, 10.0])
SPLIT_NEAR = 0.04
SPLITS_SHOWN = 4
YEAR_NS = 365 * 86_400 * 1_000_000_000
MISSING_SHARE = 0.02


def caveats_of(
    result: ReplayResult, config: Config, panel: BarPanel, *, measures: Measures, benchmark: Benchmark | None
) -> tuple[str, ...]:
    """One sentence per weakness, the gravest first."""
    return (
        *_sample(measures),
        *_universe(panel),
        *_prices(config, panel),
        *_assumptions(config, panel),
        *_ends(result),
        *_against(benchmark),
    )


def _sample(measures: Measures) -> Iterator[str]:
    trials, trips = measures.significance.trials, measures.trading.trips.round_trips
    if trials is not None and trials > 1:
        yield (
            f"{trials:,} configurations were tried on this data. The best of so many looks good by chance alone; the "
            "deflated Sharpe ratio takes that into account, the other figures do not."
        )
    if measures.sessions < FEW_SESSIONS:
        yield (
            f"{measures.sessions} sessions are less than a year: annualised figures, the Sharpe ratio above all, are "
            "mostly chance."
        )
    if trips < FEW_TRIPS:
        yield f"{trips} round trips are too few to judge hit rate, profit factor or average profit."


def _universe(panel: BarPanel) -> Iterator[str]:
    """A panel in which everybody lives to the end was most likely chosen at the end."""
    printed = ~np.isnan(panel.close)
    years = (int(panel.closed_at[-1]) - int(panel.opened_at[0])) / YEAR_NS
    if years > 1 and len(panel.symbols) > 1 and bool(printed[-max(len(panel) // 100, 1) :].any(axis=0).all()):
        yield (
            f"All {len(panel.symbols)} symbols still trade at the end of the data. If the list was made then, it "
            "leaves out whoever failed or was bought on the way (survivorship), and the result is too good."
        )


def _prices(config: Config, panel: BarPanel) -> Iterator[str]:
    """What unadjusted bars hide, where no table of corporate actions says it."""
    if config.replay_actions:
        return
    yield "No table of corporate actions ([bars] or [replay] actions): no dividend is paid and no position split."
    found = _split_like(panel)
    if found:
        shown = ", ".join(found[:SPLITS_SHOWN]) + (", ..." if len(found) > SPLITS_SHOWN else "")
        yield f"{len(found)} opens look like splits ({shown}): the profit or loss there is not real."


def _split_like(panel: BarPanel) -> list[str]:
    """Symbol and day where the open is a split's ratio away from the symbol's last close, in order of time."""
    found = []
    for column, symbol in enumerate(panel.symbols):
        rows = np.flatnonzero(~np.isnan(panel.close[:, column]))
        ratio = panel.open[rows[1:], column] / panel.close[rows[:-1], column]
        near = np.abs(np.log(ratio)[:, None] - np.log(SPLITS)) < SPLIT_NEAR
        found += [(int(panel.opened_at[row]), symbol) for row in rows[1:][near.any(axis=1)]]
    return [f"{symbol} {np.datetime64(at, 'ns').astype('datetime64[D]')}" for at, symbol in sorted(found)]


def _assumptions(config: Config, panel: BarPanel) -> Iterator[str]:
    assumed = config.replay
    yield (
        "Fills follow written rules over bars, not a real order book: market orders at the next open, stops before "
        f"targets, at most {assumed.participation:.0%} of a bar's volume, {assumed.slippage_bps:g} bp slippage. "
        "Queues, halts, rejections and our own effect on prices beyond that are not in it."
    )
    if assumed.intrabar == "skip_entry_bar":
        yield "Stops and targets sleep through the entry bar (intrabar = skip_entry_bar): losses there are left out."
    if assumed.commission == "none":
        yield "No commission is charged (commission = none)."
    if panel.dropped:
        yield f"{panel.dropped:,} bad bars were left out."


def _ends(result: ReplayResult) -> Iterator[str]:
    if result.curve.gross[-1] > 0:
        yield (
            f"Positions of {result.curve.gross[-1]:,.0f} are open at the end, valued at the last close; leaving them "
            "would cost something, and they are not among the round trips."
        )


def _against(benchmark: Benchmark | None) -> Iterator[str]:
    if benchmark is None:
        yield "There is no benchmark to compare with (--benchmark FILE[:SYMBOL])."
        return
    missing, sessions = int(np.isnan(benchmark.returns).sum()), len(benchmark.returns)
    if missing > max(1, MISSING_SHARE * sessions):
        yield f"The benchmark {benchmark.name} has no return on {missing} of {sessions} sessions; they count as 0."
