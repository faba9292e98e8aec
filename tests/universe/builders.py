"""Daily panels, lists of tickers and actions, by hand."""

from datetime import date, time, timedelta

import numpy as np
import pandas as pd

from research.ingest.point_in_time.known_by import sessions_between, start_of_day
from shared.io.bar_checks import DAILY_S
from shared.io.bar_files import at_new_york
from shared.io.bar_store import DAY_LASTS_NS, BarPanel

SESSIONS = sessions_between(date(2016, 1, 4), date(2016, 6, 30))
DAY = SESSIONS[-1]
NEXT = DAY + timedelta(days=1)


def a_panel(closes, volumes=None, sessions=SESSIONS):
    """Bars of {symbol: close or closes}, flat within the day; volume 1,000,000 shares unless given."""
    symbols = tuple(closes)
    close = np.column_stack([np.broadcast_to(np.asarray(closes[one], dtype=float), len(sessions)) for one in symbols])
    shares = volumes or {}
    volume = np.column_stack([np.broadcast_to(float(shares.get(one, 1e6)), len(sessions)) for one in symbols])
    opened_at = np.array([at_new_york(day, time(9, 30)) for day in sessions], dtype=np.int64)
    return BarPanel(
        symbols=symbols,
        opened_at=opened_at,
        closed_at=opened_at + DAY_LASTS_NS,
        interval_s=DAILY_S,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=np.where(np.isnan(close), np.nan, volume),
    )


def wave(level=20.0, size=0.01, sessions=SESSIONS):
    """Closes that go up and down by `size` in turn."""
    return level * np.exp(size * (np.arange(len(sessions)) % 2))


def gone_after(row, level=20.0):
    closes = wave(level)
    closes[row:] = np.nan
    return closes


def a_list(*tickers, cik=1, exchange="NYSE"):
    return pd.DataFrame(
        {"cik": [cik] * len(tickers), "name": [*tickers], "ticker": [*tickers], "exchange": [exchange] * len(tickers)}
    )


def splits(*rows):
    """Actions as (symbol, ex_date, new shares per old)."""
    table = pd.DataFrame([*rows], columns=["symbol", "ex_date", "split_coefficient"])
    days = pd.to_datetime(table["ex_date"]).astype("datetime64[ns]")
    return table.assign(ex_date=days, dividend_amount=0.0, known_by=start_of_day(days))


def of(universe, symbol):
    (row,) = universe[universe["symbol"].eq(symbol)].to_dict("records")
    return row
