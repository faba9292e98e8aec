"""Our indicators against TA-Lib's: eight, the fifty of issue 7 against the 32 it has of them, and a live step."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import talib
from talib import stream

from bench.result import Comparison, Measured
from bench.rounds import median_seconds
from shared.indicators.live_plan import LivePlan
from shared.indicators.registry import SPECS
from shared.indicators.spec import FIELDS

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
    ("stddev", {"period": 20}, "STDDEV", (20, 1.0)),
    ("obv", {}, "OBV", ()),
    ("ad", {}, "AD", ()),
    ("adosc", {}, "ADOSC", (3, 10)),
    ("linearreg", {}, "LINEARREG", (14,)),
    ("hma", {}, "HMA", (20,)),
    ("awesome", {}, "AO", (5, 34)),
    ("donchian", {}, "DONCHIAN", (20,)),
)
# The rest of the fifty, which TA-Lib does not have or has only since 0.8.
OURS_ALONE = (
    *("tsi", "vortex", "ichimoku", "supertrend", "keltner", "ulcer", "cmf", "vwap_rolling", "force"),
    *("parkinson", "garman_klass", "rogers_satchell", "yang_zhang", "hurst", "autocorr", "skew", "kurt", "amihud"),
)
STEP = 64  # rows whose values are handed out together: a consumer takes them while they are in the cache


def compare_eight(rounds: int) -> Comparison:
    """The eight that the issue names, over whole panels; the first round, which compiles, does not count."""
    return _batch("eight indicators", EIGHT, (), rounds)


def compare_fifty(rounds: int) -> Comparison:
    """The fifty of issue 7; TA-Lib runs the 32 that the issue counts as its own."""
    title = f"{len(EIGHT + OTHERS + OURS_ALONE)} indicators here, {len(EIGHT + OTHERS)} of them by TA-Lib"
    return _batch(title, EIGHT + OTHERS, OURS_ALONE, rounds)


def compare_live_step(rounds: int) -> Comparison:
    """One bar of 500 instruments through the fifty: a plan here, TA-Lib's stream functions of its 32 there."""
    market = a_market(LIVE_BARS, INSTRUMENTS)
    calls = EIGHT + OTHERS
    plan = LivePlan(INSTRUMENTS, _wanted(calls, OURS_ALONE))
    bars = np.stack([market[field] for field in FIELDS], axis=1)
    for bar in bars:
        plan.update(bar)
    columns = _columns(market)
    ours, theirs = [], []
    for _ in range(rounds):
        started = time.process_time()
        for bar in bars:
            plan.update(bar)
        ours.append((time.process_time() - started) / len(bars))
        started = time.process_time()
        for name, _, function, told in calls:
            step = getattr(stream, function)
            for column in columns[:50]:  # a tenth of the instruments is enough to know the time of all
                step(*(column[field] for field in SPECS[name].inputs), *told)
        theirs.append((time.process_time() - started) * len(columns) / 50)
    fifty = len(calls) + len(OURS_ALONE)
    return Comparison(
        title=f"live step of {INSTRUMENTS} instruments: {fifty} indicators here, {len(calls)} of them by TA-Lib",
        measured=(
            Measured("openbell", "us", float(np.median(ours)) * 1e6),
            Measured("openbell, fastest round", "us", min(ours) * 1e6),
            Measured("TA-Lib stream", "us", float(np.median(theirs)) * 1e6),
        ),
        ratio=float(np.median(theirs) / np.median(ours)) * fifty / len(calls),
        ratio_says="times TA-Lib's stream functions, per indicator (asked: 500, and at most 100 us)",
        notes=("processor time of this process",),
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


def _wanted(both: tuple[Call, ...], alone: tuple[str, ...]) -> list[tuple[str, dict[str, object]]]:
    return [*((name, params) for name, params, _, _ in both), *((name, {}) for name in alone)]


def _batch(title: str, both: tuple[Call, ...], alone: tuple[str, ...], rounds: int) -> Comparison:
    market = a_market(BARS, INSTRUMENTS)
    columns = _columns(market)
    wanted = _wanted(both, alone)

    def ours() -> None:
        plan = LivePlan(INSTRUMENTS, wanted)
        for row in range(0, BARS, STEP):
            plan.update_many(*(market[field][row : row + STEP] for field in FIELDS))

    def one_by_one() -> None:
        for name, params in wanted:
            spec = SPECS[name]
            spec.make(INSTRUMENTS, **params).update_many(*(market[field] for field in spec.inputs))

    def theirs() -> None:
        for name, _, function, told in both:
            call: Callable[..., object] = getattr(talib, function)
            for column in columns:
                call(*(column[field] for field in SPECS[name].inputs), *told)

    taken = median_seconds({"openbell": ours, "openbell, one by one": one_by_one, "TA-Lib": theirs}, rounds)
    return Comparison(
        title=f"{title}, {INSTRUMENTS} instruments x {BARS:,} bars, one core",
        measured=tuple(Measured(who, "ms", seconds * 1e3) for who, seconds in taken.items()),
        ratio=taken["TA-Lib"] / taken["openbell"],
        ratio_says="times as fast as TA-Lib (asked of eight: 4; of fifty against its 32: 1.54)",
        notes=(f"a plan hands out {STEP} rows at a time; processor time of this process",),
    )


def _columns(market: Market) -> list[dict[str, np.ndarray]]:
    """One instrument after another, each contiguous, as TA-Lib wants it."""
    return [
        {field: np.ascontiguousarray(panel[:, i]) for field, panel in market.items()}
        for i in range(market["close"].shape[1])
    ]
