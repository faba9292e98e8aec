"""Minute bars of two sessions, stored, and the first minutes of the third, live."""

import asyncio
from datetime import UTC, datetime, timedelta

import numpy as np

from brokers.port import ClosedRow
from daemon.runtime.lifecycle import log_path
from research.backtest.assembly import build_driver, timeline_of
from research.features.warm_start import carry_on
from shared.io.bar_store import BarPanel
from shared.io.logging import set_up_logging
from shared.market import Bar, BarRow
from tests.features.builders import built, first_days
from tests.runtime.builders import a_config, at, eventually
from tests.runtime.test_lifecycle import Running

SYMBOLS = ("SPY", "IBM")
OPENS = [datetime(2013, 10, day, 13, 30, tzinfo=UTC) for day in (4, 7, 8)]
PER_SESSION, LIVE_MINUTES, HISTORY_ROWS = 390, 3, 70
STORED = 2 * PER_SESSION
ROWS = STORED + LIVE_MINUTES
KALMAN = {"kind": "kalman_trend", "params": {"warm": 60, "memory": 250, "zscore": 1.0}}

EMA_AND_RSI = '''
import numpy as np

from shared.indicators.feature_set import FeatureSet
from strategies.base import Strategy


class EmaAndRsi(Strategy):
    """Long above the mean while RSI is high, else flat."""

    def __init__(self, universe):
        super().__init__(universe)
        self.features = FeatureSet(len(universe), ("ema(40)", "rsi(14)"))

    def on_row(self, row, _closed_at, /):
        found = self.features.update(row)
        up = (row.close > found["ema(40)"]) & (found["rsi(14)"] > 50.0)
        return [self.signal(i, float(up[i]), "up" if up[i] else "down") for i in np.flatnonzero(~np.isnan(row.close))]
'''


def a_desk(**changes):
    """A strategy with ranges of its own, sized and stopped by them."""
    return {
        "name": "k",
        "allocation": 0.5,
        "sizing": {"method": "atr", "risk_fraction": 0.01, "atr_period": 14, "atr_multiple": 2.0},
        "exits": {"method": "atr", "atr_period": 14, "stop_atr": 2.0, "target_atr": 3.0},
        **KALMAN,
        **changes,
    }


def live_config(folder, start="stored", **changes):
    bars = {"interval_s": 60, "warm_up": HISTORY_ROWS, "row_grace_s": 0.05}
    config = a_config(folder, strategy=[a_desk(**changes)], bars=bars, features={"start": start})
    set_up_logging(log_path(config), stderr_is_terminal=False)
    return config


def a_walk_of_minutes(seed):
    """Two sessions and the first minutes of the third; one price per bar, and no print of IBM in every seventh."""
    opened = [opens + timedelta(minutes=minute) for opens in OPENS for minute in range(PER_SESSION)][:ROWS]
    opened_at = np.array([int(moment.timestamp()) * 1_000_000_000 for moment in opened], dtype=np.int64)
    steps = np.random.default_rng(seed).normal(0.0, 0.001, (ROWS, 2))
    close = np.round(100.0 * np.exp(np.cumsum(steps, axis=0)), 2)
    volume = np.full((ROWS, 2), 1200.0)
    close[3:STORED:7, 1] = volume[3:STORED:7, 1] = np.nan
    return BarPanel(
        symbols=SYMBOLS,
        opened_at=opened_at,
        closed_at=opened_at + 60_000_000_000,
        interval_s=60,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=volume,
    )


def stored_part(panel):
    return first_days(panel, STORED)


def store(config, panel):
    """What the night does with the bars that there are."""
    folder = config.base_dir / config.features.folder
    built(panel, folder, "rsi(14)")
    return carry_on(config, panel, folder)


def replayed(config, panel):
    """The engine of a replay over the whole history, after its last row."""
    driver = build_driver(config, panel, timeline_of(config, panel), sparse=False)
    driver.start()
    for number in range(len(panel)):
        driver.match(number)
        driver.decide(number)
    return driver._engine


def history_of(panel, rows=HISTORY_ROWS, factor=1.0, until=STORED):
    """The last rows before row `until`, as the broker tells them."""
    found = []
    for index in range(until - rows, until):
        row = panel.row(index)
        prices = {name: getattr(row, name) * factor for name in ("open", "high", "low", "close")}
        closed_at = datetime.fromtimestamp(int(panel.closed_at[index]) / 1e9, UTC)
        found.append(ClosedRow(closed_at=closed_at, row=BarRow(volume=row.volume, **prices)))
    return found


async def lived(config, panel, minutes=1, history=None, begins=0, fails=()):
    """A run from `begins` s after the open on that is shown so many minutes of the panel; the run and its task."""
    run = Running(config, at(begins))
    run.market.history = history_of(panel) if history is None else history
    run.market.fails_next = [*fails]
    work = asyncio.create_task(run.daemon.run(until_close=False))
    await run.until_subscribed()
    for minute in range(minutes):
        play(run, panel, minute)
        await eventually(lambda minute=minute: run.book.last_row_at == at(60 * minute + 60))
    await eventually(lambda: run.daemon.is_idle)
    return run, work


async def ended(run, work):
    run.daemon.request_stop("SIGTERM")
    return await asyncio.wait_for(work, 20)


def play(run, panel, minute):
    """The five-second bars of a minute of the live session."""
    for begin in range(60 * minute, 60 * minute + 60, 5):
        for place, symbol in enumerate(SYMBOLS):
            price = float(panel.close[STORED + minute, place])
            run.market.callbacks.on_bar(symbol, at(begin), 5, Bar(price, price, price, price, 100.0))
