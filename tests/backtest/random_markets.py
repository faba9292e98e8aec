"""Panels and configurations for comparing a replay that looks at every row with one that sleeps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from msgspec import Struct

from shared.config import Config
from shared.io.bar_store import BarPanel
from shared.sessions import session_at_or_after
from tests.backtest.builders import MINUTE_S, SECOND_NS, a_config

SYMBOLS = ("AAA", "BBB", "CCC")
SESSION_ROWS = 390


class Weather(Struct, frozen=True, kw_only=True):
    """How a random panel misbehaves: shares of bars that are missing, do not move, spike, or shift the level.

    `drift` is what every instrument gains in a bar.
    """

    seed: int
    move: float = 1e-3
    missing: float = 0.0
    still: float = 0.0
    spikes: float = 0.0
    shifts: float = 0.0
    halted: bool = False
    thin: bool = False
    drift: tuple[float, ...] = (0.0, 0.0, 0.0)


def a_random_panel(weather: Weather, *, rows: int, symbols: tuple[str, ...] = SYMBOLS) -> BarPanel:
    """Minutes of real sessions; half of every session, so that several lie in few rows."""
    rng = np.random.default_rng(weather.seed)
    shape = (rows, len(symbols))
    moves = rng.normal(0.0, weather.move, shape) * (rng.random(shape) >= weather.still)
    shifts = np.where(rng.random(shape) < weather.shifts, rng.choice([-0.3, 0.4], shape), 0.0)
    close = np.round(100.0 * np.exp(np.cumsum(moves + shifts + weather.drift, axis=0)), 2)
    close = np.where(rng.random(shape) < weather.spikes, np.round(close * rng.choice([0.1, 10.0], shape), 2), close)
    opened = np.vstack((close[:1], close[:-1]))
    reach = np.round(np.abs(rng.normal(0.0, 100.0 * weather.move, (2, *shape))), 2)
    fields: dict[str, Any] = {
        "open": opened,
        "high": np.maximum(opened, close) + reach[0],
        "low": np.maximum(np.minimum(opened, close) - reach[1], 0.01),
        "close": close,
        "volume": np.full(shape, 300.0 if weather.thin else 1e6),
    }
    gone = rng.random(shape) < weather.missing
    if weather.halted:
        gone[rows // 3 : rows // 2, 0] = True
    printed: dict[str, Any] = {name: np.where(gone, np.nan, values) for name, values in fields.items()}
    opened_at = _half_sessions(rows)
    return BarPanel(
        symbols=symbols,
        opened_at=opened_at,
        closed_at=opened_at + MINUTE_S * SECOND_NS,
        interval_s=MINUTE_S,
        **printed,
    )


def _half_sessions(rows: int) -> np.ndarray:
    """Minutes of the end of each session, where entries end and positions are closed."""
    pieces: list[np.ndarray] = []
    at = datetime(2013, 10, 3, tzinfo=UTC)
    while sum(map(len, pieces)) < rows:
        hours = session_at_or_after("XNYS", at)
        last = int(hours.closes_at.timestamp()) * SECOND_NS
        first = last - 150 * MINUTE_S * SECOND_NS
        pieces.append(np.arange(first, last, MINUTE_S * SECOND_NS, dtype=np.int64))
        at = hours.closes_at
    return np.concatenate(pieces)[:rows]


STRATEGIES: dict[str, dict[str, Any]] = {
    "sma_cross": {"kind": "sma_cross", "params": {"fast": 5, "slow": 20}},
    "sma_cross_short": {"kind": "sma_cross", "params": {"fast": 3, "slow": 9, "long_only": False}},
    "sma_cross_slow": {"kind": "sma_cross", "params": {"fast": 15, "slow": 45}},
    "cross_momentum_slow": {"kind": "cross_momentum", "params": {"lookback": 10, "rebalance_every": 60, "top": 2}},
    "cross_momentum": {"kind": "cross_momentum", "params": {"lookback": 10, "rebalance_every": 7, "top": 1}},
}
EXITS: dict[str, dict[str, Any]] = {
    "percent": {"method": "percent", "stop_pct": 0.3, "target_pct": 0.6},
    "percent_far": {"method": "percent", "stop_pct": 1.5, "target_pct": 3.0},
    "no_target": {"method": "percent", "stop_pct": 1.0, "target_pct": 0.0},
    "atr": {"method": "atr", "atr_period": 5, "stop_atr": 2.0, "target_atr": 4.0},
    "trailing": {"method": "percent", "stop_pct": 0.4, "target_pct": 0.0, "trail_pct": 0.4},
    "time_stop": {"method": "percent", "stop_pct": 2.0, "target_pct": 3.0, "max_holding_s": 900},
}
SIZINGS: dict[str, dict[str, Any]] = {
    "fixed": {"method": "fixed_fraction", "fraction": 0.1},
    "atr": {"method": "atr", "risk_fraction": 0.001, "atr_period": 5, "atr_multiple": 2.0},
}
LIMITS: dict[str, dict[str, Any]] = {
    "lifted": {},
    "wide": {
        "max_day_loss": 20_000.0,
        "max_week_loss": 50_000.0,
        "max_drawdown_pct": 10.0,
        "max_strategy_day_loss": 10_000.0,
        "max_instrument_day_loss": 5_000.0,
        "max_day_slippage": 5_000.0,
        "max_losses_in_a_row": 40,
        "max_rejects_in_a_row": 5,
        "max_unknown_orders": 3,
        "max_entries_in_window": 12,
        "duplicate_window_s": 5.0,
    },
    "tight": {
        "max_day_loss": 900.0,
        "max_week_loss": 1_500.0,
        "max_drawdown_pct": 0.1,
        "max_strategy_day_loss": 700.0,
        "max_instrument_day_loss": 300.0,
        "max_day_slippage": 60.0,
        "max_losses_in_a_row": 4,
        "max_entries_in_window": 3,
    },
    "one_of_each": {"max_instrument_day_loss": 150.0, "max_var_pct": 5.0},
    "drawdown": {"max_drawdown_pct": 0.05},
    "losses": {"max_losses_in_a_row": 1},
    "jumps": {"price_jump_pct_max": 3.0},
}


def a_random_config(
    strategy: str, exits: str, sizing: str, limits: str, *, entry: str = "market", desks: int = 1
) -> Config:
    """`desks` strategies of the kind, the second on two of the three instruments only."""
    raw = a_config(*SYMBOLS, strategy=STRATEGIES[strategy])
    plain = raw.strategies[0].model_dump()
    first = {**plain, "allocation": 1.0 / desks, "exits": EXITS[exits], "sizing": SIZINGS[sizing]}
    second = {**first, **STRATEGIES["sma_cross_short"], "name": "two", "symbols": ["CCC", "AAA"]}
    return Config.model_validate(
        {
            "session": {
                "calendar": "XNYS",
                "entry_after_open_s": 60,
                "entry_before_close_s": 900,
                "flatten_before_close_s": 300,
            },
            "universe": {"symbols": list(SYMBOLS)},
            "bars": {"interval_s": MINUTE_S, "warm_up": 30},
            "strategy": [first, second][:desks],
            "execution": {**raw.execution.model_dump(), "entry": entry},
            "risk": {**raw.risk.model_dump(), **LIMITS[limits]},
            "replay": {"slippage_bps": 1.0, "commission": "ib_fixed", "participation": 0.1},
        }
    )
