"""Bars for the tests of the store and of data quality."""

import os
import signal
from datetime import date, timedelta
from errno import ENOSPC

import numpy as np

from research.ingest.quality.table import Series, Table
from shared.io.bar_disk import RealDisk
from shared.io.bar_part import Bars, day_opens

MINUTE_NS = 60_000_000_000


def weekdays(first, count):
    """So many weekdays from a day on, counted from 1970."""
    day, days = first, list[int]()
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day.toordinal() - date(1970, 1, 1).toordinal())
        day += timedelta(days=1)
    return np.array(days)


def bars_at(opened_at, close, volume=1000.0):
    """Bars one dollar high around their closes."""
    close = np.broadcast_to(np.asarray(close, dtype=np.float64), np.shape(opened_at)).copy()
    return Bars(
        opened_at=np.asarray(opened_at, dtype=np.int64),
        open=close.copy(),
        high=close * 1.01,
        low=close * 0.99,
        close=close,
        volume=np.broadcast_to(np.asarray(volume, dtype=np.float64), close.shape).copy(),
    )


def daily(first=date(2014, 6, 2), closes=(10.0, 11.0, 12.0), volume=1000.0):
    """A bar per weekday."""
    return bars_at(day_opens(weekdays(first, len(closes))), closes, volume)


def a_series(bars, symbol="AAA", interval_s=86_400, **columns):
    """The bars as a file would hold them, rows from 1."""
    values = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")}
    values |= {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    return Series(
        symbol=symbol,
        interval_s=interval_s,
        opened_at=bars.opened_at.copy(),
        row=np.arange(1, len(bars) + 1),
        values=values,
    )


def a_table(*series, name="bars.parquet", is_quotes=False):
    return Table(name=name, is_quotes=is_quotes, interval_s=series[0].interval_s, series=series)


def a_walk(count, start=100.0, seed=7):
    """Closes of an ordinary share: 1 % a day."""
    steps = np.random.default_rng(seed).normal(0, 0.01, count - 1)
    return start * np.exp(np.concatenate([[0.0], np.cumsum(steps)]))


class FailingDisk(RealDisk):
    """Full from the verb with this number on; a write that fails leaves half of the content behind."""

    def __init__(self, fails_at):
        self.left = fails_at
        self.verbs = 0

    def _verb(self):
        self.verbs += 1
        if self.left == 0:
            self.fail()
        self.left -= 1

    def fail(self):
        self.left = 1
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    def write(self, path, content):
        try:
            self._verb()
        except OSError:
            path.write_bytes(content[: len(content) // 2])
            raise
        super().write(path, content)

    def rename(self, path, target):
        self._verb()
        super().rename(path, target)

    def sync_folder(self, folder):
        self._verb()
        super().sync_folder(folder)

    def make_folder(self, folder):
        self._verb()
        super().make_folder(folder)


class DeadlyDisk(FailingDisk):
    """The process is killed at the verb with this number; in a write, with half of the content on the disk."""

    def fail(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def write(self, path, content):
        if self.left == 0:
            path.write_bytes(content[: len(content) // 2])
        super().write(path, content)
