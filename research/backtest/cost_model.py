"""The costs that [replay] asks for, out of its keys and tables; paths are relative to the config file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from brokers.simulated.costs.financing import BorrowFees, InterestRates
from brokers.simulated.costs.slippage import MarketSlippage, SlippageModel
from research.backtest.carrying import Carrying
from research.backtest.corporate_actions import NOTHING_DUE, Schedule, in_units_of_the_start, schedule
from research.backtest.liquidity import KnownLiquidity, known_liquidity
from research.backtest.session_bars import SessionBars, session_bars
from research.backtest.timeline import Timeline
from shared.config import Config
from shared.errors import DataError
from shared.io.action_table import load_actions
from shared.io.bar_store import BarPanel
from shared.io.table_rows import read_rows

FIRST_DAY = date.min


class CostModel(Struct, frozen=True, kw_only=True, eq=False):
    """What driver and broker of one replay are given; `market_slippage` None where slippage is fixed alone."""

    panel: BarPanel
    """The bars with the warm-up in the units of the first session."""
    carrying: Carrying
    market_slippage: MarketSlippage | None = None


def cost_model(config: Config, panel: BarPanel, timeline: Timeline) -> CostModel:
    """Read the tables and estimate what has to be; DataError where a table or the bars cannot be used."""
    assumed = config.replay
    model = SlippageModel(fixed_bps=assumed.slippage_bps, spread_share=assumed.spread_share, impact=assumed.impact)
    table = config.replay_actions
    bars = session_bars(panel, timeline) if table or model.needs_liquidity else None
    due = NOTHING_DUE
    if bars is not None and table:
        due = schedule(load_actions(config.base_dir / table), panel.symbols, bars)
    liquidity = slippage = None
    if bars is not None and model.needs_liquidity:
        liquidity, slippage = _liquidity(config, panel, bars, due), MarketSlippage(model)
        slippage.begin_session(liquidity.before(timeline.rows[0].hours.session))
    carrying = Carrying(
        rates=_rates(config), borrow=_borrow(config), schedule=due, liquidity=liquidity, slippage=slippage
    )
    units = in_units_of_the_start(panel, timeline, due)
    return CostModel(panel=units, carrying=carrying, market_slippage=slippage)


def _liquidity(config: Config, panel: BarPanel, bars: SessionBars, due: Schedule) -> KnownLiquidity:
    assumed = config.replay
    return known_liquidity(
        bars,
        panel.symbols,
        actions=due,
        estimate=assumed.spread_estimate,
        window=assumed.liquidity_sessions,
        spreads=_by_symbol(config, assumed.spreads, "spread_bps") if assumed.spreads else {},
    )


def _rates(config: Config) -> InterestRates:
    assumed = config.replay
    if not assumed.rates:
        return InterestRates(debit_pct=assumed.debit_rate_pct, credit_pct=assumed.credit_rate_pct)
    return InterestRates(
        debit_pct=assumed.debit_spread_pct,
        credit_pct=assumed.credit_spread_pct,
        benchmark=load_benchmark(config.base_dir / assumed.rates),
    )


def _borrow(config: Config) -> BorrowFees:
    assumed = config.replay
    known = _by_symbol(config, assumed.borrow, "borrow_bps", dated=False) if assumed.borrow else {}
    return BorrowFees(default_bps=assumed.borrow_bps, by_symbol=known)


def load_benchmark(path: Path) -> tuple[tuple[date, float], ...]:
    """Rising (day, percent a year) from a table with the columns date and rate_pct; empty rates are left out."""
    rows = [row for row in read_rows(path, ("date", "rate_pct")) if row.cells["rate_pct"].strip()]
    rates = [(row.day("date"), row.number("rate_pct", "percent a year, -10 or more", least=-10.0)) for row in rows]
    if not rates:
        raise DataError(f"{path}: no rate in it, allowed: at least one row with date and rate_pct")
    return tuple(sorted(dict(rates).items()))


def _by_symbol(
    config: Config, table: str, column: str, *, dated: bool = True
) -> Mapping[str, Sequence[tuple[date, float]]]:
    """Symbol -> rising (day, basis points); without a day a figure holds always."""
    columns = ("symbol", "date", column) if dated else ("symbol", column)
    found: dict[str, dict[date, float]] = {}
    for row in read_rows(config.base_dir / table, columns):
        day = row.day("date") if dated or row.cells.get("date", "") else FIRST_DAY
        value = row.number(column, "0 or more basis points", least=0.0)
        found.setdefault(row.text("symbol"), {})[day] = value
    return {symbol: sorted(values.items()) for symbol, values in found.items()}
