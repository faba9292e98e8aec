"""Small results made by hand, and the daily returns of a real index."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from research.backtest.result import CostedFill, EquityCurve, ReplayResult
from research.measures.series import Floats
from research.measures.stamp import Stamp
from shared.io.bar_store import BarPanel
from shared.orders import Fill, Side

MONDAY = date(2013, 10, 7)
DAY_NS = 86_400_000_000_000
INDEX = Path(__file__).resolve().parents[3] / "shared" / "data" / "index" / "sp500_index_daily.csv"


def an_instant(session: int, row: int = 0) -> datetime:
    return datetime(2013, 10, 7, 20, tzinfo=UTC) + timedelta(days=session, minutes=row)


def a_curve(*days, gross=None):
    """Equity per row, one list per session."""
    values = [value for day in days for value in day]
    return EquityCurve(
        closed_at=tuple(an_instant(at, row) for at, day in enumerate(days) for row in range(len(day))),
        sessions=tuple(MONDAY + timedelta(days=at) for at, day in enumerate(days) for _ in day),
        net_liquidation=np.array(values, dtype=np.float64),
        gross=np.zeros(len(values)) if gross is None else np.array(gross, dtype=np.float64),
    )


def a_daily_curve(*closes, gross=None):
    return a_curve(*([close] for close in closes), gross=gross)


def a_fill(side, quantity, price, *, session=0, row=0, strategy="sma", symbol="SPY", leg="E", **costs):
    fill = Fill(
        ref=f"OB1:{strategy}:20131007:{symbol}-1:{leg}" if strategy else "by hand",
        exec_id=f"bar.{session}.{row:08d}.01",
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price,
        filled_at=an_instant(session, row),
    )
    return CostedFill(fill=fill, **{"commission": 0.0, "slippage": 0.0, **costs})


def a_round_trip(profit, *, session=0, **kwargs):
    """10 shares bought at 100 and sold for this profit, a session later."""
    return [
        a_fill(Side.BUY, 10, 100.0, session=session, **kwargs),
        a_fill(Side.SELL, 10, 100.0 + profit / 10, session=session + 1, leg="X1", **kwargs),
    ]


def a_result(curve, fills=(), *, starting_cash=100.0, symbols=("SPY",), **kwargs):
    return ReplayResult(
        symbols=symbols,
        interval_s=86_400,
        starting_cash=starting_cash,
        decisions=(),
        fills=tuple(fills),
        curve=curve,
        **kwargs,
    )


def a_daily_panel(closes, *, symbols=("SPY",), volume=1_000.0):
    """One bar a day from MONDAY on, open = high = low = close; `closes` of shape (days, symbols)."""
    prices = np.array(closes, dtype=np.float64).reshape(-1, len(symbols))
    midnight = np.datetime64(MONDAY.isoformat(), "ns").astype(np.int64)
    opened_at = midnight + 13 * 3_600_000_000_000 + DAY_NS * np.arange(len(prices))
    return BarPanel(
        symbols=tuple(symbols),
        opened_at=opened_at,
        closed_at=opened_at + 23_400_000_000_000,
        interval_s=86_400,
        open=prices.copy(),
        high=prices.copy(),
        low=prices.copy(),
        close=prices,
        volume=np.where(np.isnan(prices), np.nan, volume),
    )


def a_stamp(**changes):
    fields = {
        "strategy": "sma_cross",
        "symbols": 1,
        "interval_s": 60,
        "start": None,
        "config_hash": "c" * 64,
        "data_hash": "d" * 64,
        "code_hash": "e" * 64,
        "dataset": "5" * 64,
        "seed": None,
        "git_revision": None,
        "git_dirty": None,
        "versions": {},
    }
    return Stamp(**{**fields, **changes})


def random_returns(seed: int, days: int = 1_260) -> Floats:
    """Fat-tailed, a little skewed, with a drift."""
    rng = np.random.default_rng(seed)
    return 0.0004 + 0.006 * rng.standard_t(4, days) - 0.002 * (rng.exponential(1.0, days) - 1.0)


def index_returns() -> Floats:
    """Daily returns of the S&P 500 from 1999 on."""
    if not INDEX.is_file():
        pytest.skip("the shared market data is not here")
    closes = np.loadtxt(INDEX, delimiter=",", skiprows=1, usecols=4, dtype=np.float64)
    return np.asarray(closes[1:] / closes[:-1] - 1.0)
