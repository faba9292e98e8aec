"""Our indicators against TA-Lib's: eight, all of the fifty that are in lockstep, and a live step."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import talib
from talib import stream

from bench.result import Comparison, Measured
from bench.rounds import median_seconds
from shared.indicators.live_plan import FIELDS, LivePlan
from shared.indicators.registry import SPECS

INSTRUMENTS, BARS = 500, 2_520
LIVE_BARS = 300  # enough for every warm-up below
Market = dict[str, np.ndarray]
Call = tuple[str, dict[str, object], str, tuple[float, ...]]

# name and parameters here, function and positional parameters there
EIGHT: tuple[Call, ...] = (
    ("ema", {"period": 20}, "EMA", (20,)),
    ("rsi", {}, "RSI", (14,)),
    ("atr", {}, "ATR", (14,)),
    ("bbands", {}, "BBANDS", (20, 2.0, 2.0)),
    ("adx", {}, "ADX", (14,)),
    ("mfi", {}, "MFI", (14,)),
    ("stoch", {"fast_k": 14}, "STOCH", (14, 3, 0, 3, 0)),
    ("cci", {"period": 20}, "CCI", (20,)),
)
OTHERS: tuple[Call, ...] = (
    ("sma", {}, "SMA", (30,)),
    ("wma", {}, "WMA", (30,)),
    ("dema", {}, "DEMA", (30,)),
    ("kama", {}, "KAMA", (30,)),
    ("macd", {}, "MACD", (12, 26, 9)),
    ("ppo", {}, "PPO", (12, 26, 1)),
    ("roc", {}, "ROC", (10,)),
    ("mom", {}, "MOM", (10,)),
    ("trix", {}, "TRIX", (30,)),
    ("stochrsi", {}, "STOCHRSI", (14, 5, 3, 0)),
    ("willr", {}, "WILLR", (14,)),
    ("cmo", {}, "CMO", (14,)),
    ("ultosc", {}, "ULTOSC", (7, 14, 28)),
    ("plus_di", {}, "PLUS_DI", (14,)),
    ("aroon", {}, "AROON", (14,)),
    ("psar", {}, "SAR", (0.02, 0.2)),
)
OURS_ALONE = ("hma", "awesome", "tsi", "vortex", "ichimoku", "supertrend", "keltner", "donchian")


def compare_eight(rounds: int) -> Comparison:
    """The eight that the issue names, over whole panels; the first round, which compiles, does not count."""
    return _batch("eight indicators", EIGHT, (), rounds)


def compare_fifty(rounds: int) -> Comparison:
    """Those of the fifty that part of the registry drives in lockstep; TA-Lib runs only those it had before 0.8."""
    title = f"{len(EIGHT + OTHERS + OURS_ALONE)} indicators here, {len(EIGHT + OTHERS)} of them by TA-Lib"
    return _batch(title, EIGHT + OTHERS, OURS_ALONE, rounds)


def compare_live_step(rounds: int) -> Comparison:
    """One bar of 500 instruments through 50 indicators: a plan here, TA-Lib's stream functions there."""
    market = a_market(LIVE_BARS, INSTRUMENTS)
    calls = ((EIGHT + OTHERS) * 3)[:50]
    plan = LivePlan(INSTRUMENTS, [(name, params) for name, params, _, _ in calls])
    bars = np.stack([market[field] for field in FIELDS], axis=1)
    for bar in bars:
        plan.update(bar)
    columns = _columns(market)
    ours, theirs = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        for bar in bars:
            plan.update(bar)
        ours.append((time.perf_counter() - started) / len(bars))
        started = time.perf_counter()
        for name, _, function, told in calls:
            step = getattr(stream, function)
            for column in columns[:50]:  # a tenth of the instruments is enough to know the time of all
                step(*(column[field] for field in SPECS[name].inputs), *told)
        theirs.append((time.perf_counter() - started) * len(columns) / 50)
    return Comparison(
        title=f"live step, {len(calls)} indicators x {INSTRUMENTS} instruments",
        measured=(
            Measured("openbell", "us", float(np.median(ours)) * 1e6),
            Measured("openbell, fastest round", "us", min(ours) * 1e6),
            Measured("TA-Lib stream", "us", float(np.median(theirs)) * 1e6),
        ),
        ratio=float(np.median(theirs) / np.median(ours)),
        ratio_says="times TA-Lib's stream functions over the same 300 bars (asked: 500, and at most 100 us)",
    )


def a_market(bars: int, instruments: int, seed: int = 7) -> Market:
    """Random walks with the five fields, panels (bars, instruments)."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (bars, instruments)), axis=0))
    opened = np.vstack((close[:1], close[:-1]))
    return {
        "open": opened,
        "high": np.maximum(opened, close) * (1.0 + rng.uniform(0.0, 0.01, close.shape)),
        "low": np.minimum(opened, close) * (1.0 - rng.uniform(0.0, 0.01, close.shape)),
        "close": close,
        "volume": rng.uniform(1e5, 1e6, close.shape),
    }


def _batch(title: str, both: tuple[Call, ...], alone: tuple[str, ...], rounds: int) -> Comparison:
    market = a_market(BARS, INSTRUMENTS)
    columns = _columns(market)

    def ours() -> None:
        wanted = [*((name, params) for name, params, _, _ in both), *((name, {}) for name in alone)]
        for name, params in wanted:
            spec = SPECS[name]
            spec.make(INSTRUMENTS, **params).update_many(*(market[field] for field in spec.inputs))

    def theirs() -> None:
        for name, _, function, told in both:
            call: Callable[..., object] = getattr(talib, function)
            for column in columns:
                call(*(column[field] for field in SPECS[name].inputs), *told)

    taken = median_seconds({"openbell": ours, "TA-Lib": theirs}, rounds)
    return Comparison(
        title=f"{title}, {INSTRUMENTS} instruments x {BARS:,} bars, one core",
        measured=tuple(Measured(who, "ms", seconds * 1e3) for who, seconds in taken.items()),
        ratio=taken["TA-Lib"] / taken["openbell"],
        ratio_says="times as fast as TA-Lib",
    )


def _columns(market: Market) -> list[dict[str, np.ndarray]]:
    """One instrument after another, each contiguous, as TA-Lib wants it."""
    return [
        {field: np.ascontiguousarray(panel[:, i]) for field, panel in market.items()}
        for i in range(market["close"].shape[1])
    ]
