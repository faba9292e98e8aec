"""What recorded quotes say at the end of each step, and what stands in where they are not believed.

The rules are those of recorded.py. Rows here are `bid`, `ask`, `bid_size`, `ask_size`; a side that is missing
is NaN with size 0.
"""

import numpy as np
from numpy.typing import NDArray

from brokers.simulated.market.bars import Rows
from brokers.simulated.market.day_market import TICK, quotes_around
from brokers.simulated.market.source import Floats

WIDEST_SPREAD = 0.05  # of the price; a wider quote is not believed
MADE_UP_SIZE = 100.0


def filled(values: Floats) -> Floats:
    """Each NaN replaced by the latest number before it; NaN where there is none."""
    places = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    return np.where(places < 0, np.nan, values[np.maximum(places, 0)])


def sides_of(rows: Rows) -> Rows:
    """The sides of a quote table's rows as they stand at the rows' ends, or of quote ticks.

    A quote tick carries one side, the other is 0 and stands as it did before.
    """
    if "bid_close" in rows:
        return _sided({side: rows[f"{side}_close"] for side in ("bid", "ask")}, rows)
    sides, sizes = {}, {}
    for side in ("bid", "ask"):
        is_told = rows[side] > 0
        sides[side] = filled(np.where(is_told, rows[side], np.nan))
        sizes[f"{side}_size"] = filled(np.where(is_told, rows[f"{side}_size"], np.nan))
    return _sided(sides, sizes)


def standing(at: Floats, sides: Rows, instants: Floats) -> Rows:
    """The latest row that began before each instant; no side before the first."""
    places = np.searchsorted(at, instants, side="left") - 1
    known = {name: values[np.maximum(places, 0)] for name, values in sides.items()}
    return {name: np.where(places < 0, 0.0 if "size" in name else np.nan, values) for name, values in known.items()}


def made_up(close: Floats, rises: NDArray[np.bool_]) -> Rows:
    """One tick around the last price; nothing before the first print."""
    bid, ask = quotes_around(close, rises, np.ones_like(close))
    sizes = np.where(np.isnan(close), 0.0, MADE_UP_SIZE)
    return {"bid": bid, "ask": ask, "bid_size": sizes, "ask_size": sizes}


def believed(given: Rows, otherwise: Rows) -> Rows:
    """The given quote where it is one-sided, or neither crossed nor too wide."""
    has_bid, has_ask = ~np.isnan(given["bid"]), ~np.isnan(given["ask"])
    spread = given["ask"] - given["bid"]
    is_believed = (has_bid != has_ask) | ((spread >= 0) & (spread <= WIDEST_SPREAD * given["ask"]))
    return {name: np.where(is_believed, given[name], otherwise[name]) for name in otherwise}


def around_close(given: Rows, close: Floats, rises: NDArray[np.bool_]) -> Rows:
    """The given spread and sizes around the last price; the given quote itself before the first print.

    What the given quote lacks is missing here too.
    """
    nothing = made_up(close, rises)
    spread = given["ask"] - given["bid"]
    is_believed = (spread > 0) & (spread <= WIDEST_SPREAD * close)
    ticks = np.where(is_believed, np.maximum(1.0, np.round(np.where(is_believed, spread, 0.0) / TICK)), 1.0)
    bid, ask = quotes_around(close, rises, ticks)
    sizes = {size: np.where(is_believed, given[size], nothing[size]) for size in ("bid_size", "ask_size")}
    quote = {"bid": bid, "ask": ask} | sizes
    has_bid, has_ask = ~np.isnan(given["bid"]), ~np.isnan(given["ask"])
    for side, is_missing in (("bid", has_ask & ~has_bid), ("ask", has_bid & ~has_ask)):
        quote[side] = np.where(is_missing, np.nan, quote[side])
        quote[f"{side}_size"] = np.where(is_missing, 0.0, quote[f"{side}_size"])
    early = believed(given, nothing)
    return {name: np.where(np.isnan(close), early[name], values) for name, values in quote.items()}


def _sided(sides: Rows, sizes: Rows) -> Rows:
    quote = {}
    for side, values in sides.items():
        is_there = values > 0
        shown = sizes.get(f"{side}_size", np.full_like(values, MADE_UP_SIZE))
        quote[side] = np.where(is_there, values, np.nan)
        quote[f"{side}_size"] = np.where(is_there & ~np.isnan(shown), shown, 0.0)
    return quote
