"""What is known of every instrument's market before a session: spread, volatility, shares of a day.

All from sessions that are over: the mean spread estimate (or the measured one of the day before), the sample deviation
of the daily log returns and the mean volume of the last `window` sessions, warm-up included. Splits are taken out of
the prices, and volumes are in the shares of the session that is asked about.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
from msgspec import Struct

from brokers.simulated.costs.slippage import BASIS_POINT, Liquidity
from brokers.simulated.costs.spread_estimates import ESTIMATES
from research.backtest.corporate_actions import Schedule, price_scale
from research.backtest.result import Floats
from research.backtest.session_bars import SessionBars

SESSIONS_MIN = 5
"""Fewer sessions than this say nothing."""
Spreads = Mapping[str, Sequence[tuple[date, float]]]
"""Symbol -> rising (session, measured spread in basis points of the price)."""
Statistic = Callable[[Floats], Floats]
"""(k, n) -> (n,), passing over NaN."""


class KnownLiquidity(Struct, frozen=True, kw_only=True, eq=False):
    """Float64 arrays of shape (S, n): what is known before each of the sessions; NaN where nothing is."""

    sessions: tuple[date, ...]
    spread_bps: Floats
    volatility: Floats
    volume: Floats

    def before(self, session: date) -> dict[int, Liquidity]:
        """By index of the instrument."""
        at = bisect_left(self.sessions, session)
        rows = zip(self.spread_bps[at].tolist(), self.volatility[at].tolist(), self.volume[at].tolist(), strict=True)
        return {column: Liquidity(*known) for column, known in enumerate(rows)}


def known_liquidity(
    bars: SessionBars,
    symbols: Sequence[str],
    *,
    actions: Schedule,
    estimate: str,
    window: int,
    spreads: Spreads,
) -> KnownLiquidity:
    """What is known before each session of `bars`; a measured spread wins over the estimated one."""
    scale = price_scale(bars.sessions, symbols, actions)
    high, low, close = bars.high * scale, bars.low * scale, bars.close * scale
    with np.errstate(invalid="ignore", divide="ignore"):
        returns = np.vstack([np.full((1, close.shape[1]), np.nan), np.diff(np.log(close), axis=0)])
    spread = _trailing(ESTIMATES[estimate](high, low, close), window, _mean) / BASIS_POINT
    for column, symbol in enumerate(symbols):
        for at, session in enumerate(bars.sessions):
            spread[at, column] = _measured(spreads.get(symbol, ()), session, spread[at, column])
    return KnownLiquidity(
        sessions=bars.sessions,
        spread_bps=spread,
        volatility=_trailing(returns, window, _deviation),
        volume=_trailing(bars.volume / scale, window, _mean) * scale,
    )


def _trailing(values: Floats, window: int, statistic: Statistic) -> Floats:
    """The statistic of the `window` rows BEFORE each row; NaN where fewer than SESSIONS_MIN of them are numbers."""
    known = np.full(values.shape, np.nan)
    for at in range(SESSIONS_MIN, len(values)):
        past = values[max(0, at - window) : at]
        enough = np.count_nonzero(~np.isnan(past), axis=0) >= SESSIONS_MIN
        known[at, enough] = statistic(past[:, enough])
    return known


def _measured(spreads: Sequence[tuple[date, float]], session: date, otherwise: float) -> float:
    at = bisect_left([day for day, _ in spreads], session)
    return spreads[at - 1][1] if at else otherwise


def _mean(values: Floats) -> Floats:
    mean: Floats = np.nanmean(values, axis=0)
    return mean


def _deviation(values: Floats) -> Floats:
    deviation: Floats = np.nanstd(values, axis=0, ddof=1)
    return deviation
