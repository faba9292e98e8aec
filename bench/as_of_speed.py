"""The as-of join against pandas.merge_asof: 5,000 symbols x 2,520 instants with 200,000 filings."""

from __future__ import annotations

from time import process_time

import numpy as np
import pandas as pd

from bench.result import Comparison, Measured
from research.ingest.point_in_time.as_of import DAY_NS, PointInTimeTable, as_of
from shared.io.bar_checks import Floats, Integers

SYMBOLS, INSTANTS, FILINGS = 5_000, 2_520, 200_000


def compare_as_of() -> Comparison:
    """CPU time of both over the same rows, after it was seen that they say the same."""
    rows, keys, times = _case()
    begun = process_time()
    ours = as_of(PointInTimeTable(rows), keys, times).numbers("value")
    between = process_time()
    theirs = _merged(rows, keys, times)
    ended = process_time()
    if not np.array_equal(ours, theirs, equal_nan=True):
        raise AssertionError("the join and merge_asof differ")
    mine, other = between - begun, ended - between
    return Comparison(
        title=f"as-of join: {SYMBOLS:,} symbols x {INSTANTS:,} instants, {FILINGS:,} filings, CPU time",
        measured=(Measured("as_of", "ms", mine * 1e3), Measured("pandas.merge_asof", "ms", other * 1e3)),
        ratio=other / mine,
        ratio_says="times as fast as pandas.merge_asof, same answers",
    )


def _case() -> tuple[pd.DataFrame, list[str], Integers]:
    chance = np.random.default_rng(7)
    keys = [f"S{number:04d}" for number in range(SYMBOLS)]
    times = np.arange(INSTANTS, dtype=np.int64) * DAY_NS
    known = chance.integers(0, INSTANTS * DAY_NS, FILINGS)
    rows = pd.DataFrame(
        {
            "symbol": np.array(keys, dtype=object)[chance.integers(0, SYMBOLS, FILINGS)],
            "value": chance.normal(size=FILINGS),
            "known_by": pd.to_datetime(known, unit="ns", utc=True),
        }
    )
    return rows, keys, times


def _merged(rows: pd.DataFrame, keys: list[str], times: Integers) -> Floats:
    asked = pd.DataFrame(
        {
            "known_by": pd.to_datetime(np.repeat(times, len(keys)), unit="ns", utc=True),
            "symbol": np.tile(np.array(keys, dtype=object), len(times)),
        }
    )
    found = pd.merge_asof(asked, rows.sort_values("known_by", kind="stable"), on="known_by", by="symbol")
    return np.asarray(found["value"].to_numpy().reshape(len(times), len(keys)), dtype=np.float64)
