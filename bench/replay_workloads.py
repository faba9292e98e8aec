"""The three workloads of the replay comparison: seeded panels, and what is traded on them.

W1  1 symbol x 1,000,000 minutes, SMA 20/50, market orders at the next open
W2  500 symbols x 2,520 days, every 5 bars the top 20 by 20-day momentum
W3  50 symbols x 1,260 days, SMA cross with brackets: stop 2 %, target 4 %

Highs and lows lie between ticks: no limit is ever just touched, where backtrader fills and we do not. Stops of W1 and
W2 are 50 % away and never touched: our engine sends none without.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
from msgspec import Struct

from bench.limits import lifted
from bench.panels import minute_panel
from shared.config import Config
from shared.io.bar_store import DAY_LASTS_NS, BarPanel
from shared.sessions import session_at_or_after

STARTING_CASH = 1_000_000.0
FIRST_DAY = datetime(2009, 1, 2, tzinfo=UTC)
HALF_TICK = 0.005
DAY_S = 86_400


class Workload(Struct, frozen=True, kw_only=True):
    """What is traded: `kind` and `params` as in config.toml, `share` of equity per position, exits in percent."""

    name: str
    title: str
    panel: Callable[[], BarPanel]
    kind: str
    params: dict[str, int]
    share: float
    stop_pct: float = 50.0
    target_pct: float = 0.0

    def config(self, panel: BarPanel, intrabar: str = "skip_entry_bar") -> Config:
        """Our side: the gate is on, but wider than anything that happens."""
        return _config(self, panel, intrabar)


def days(symbols: int, count: int, *, deviation: float = 0.02, seed: int = 7) -> BarPanel:
    """`count` sessions of the NYSE of `symbols` random walks with daily `deviation`; open at the last close, moved."""
    rng = np.random.default_rng(seed)
    walk = 100.0 * np.exp(np.cumsum(rng.normal(0.0, deviation, (count, symbols)), axis=0))
    close = np.asarray(np.round(np.maximum(walk, 1.0), 2), dtype=np.float64)
    gap = np.exp(rng.normal(0.0, deviation / 4, (count, symbols)))
    opened = np.round(np.vstack((np.full((1, symbols), 100.0), close[:-1])) * gap, 2)
    reach = np.round(np.abs(rng.normal(0.0, deviation / 2, (2, count, symbols))) * close, 2) + HALF_TICK
    opened_at = _opens(count)
    return BarPanel(
        symbols=tuple(f"S{number:03d}" for number in range(symbols)),
        opened_at=opened_at,
        closed_at=opened_at + DAY_LASTS_NS,
        interval_s=DAY_S,
        open=opened,
        high=np.maximum(opened, close) + reach[0],
        low=np.maximum(np.minimum(opened, close) - reach[1], HALF_TICK),
        close=close,
        volume=np.full((count, symbols), 1e7),
    )


W1 = Workload(
    name="W1",
    title="1 symbol x 1,000,000 minutes, SMA 20/50",
    panel=lambda: minute_panel(1, 1_000_000),
    kind="sma_cross",
    params={"fast": 20, "slow": 50},
    share=0.9,
)
W2 = Workload(
    name="W2",
    title="500 symbols x 2,520 days, top 20 by momentum every 5 bars",
    panel=lambda: days(500, 2_520),
    kind="cross_momentum",
    params={"lookback": 20, "rebalance_every": 5, "top": 20},
    share=0.04,
)
W3 = Workload(
    name="W3",
    title="50 symbols x 1,260 days, SMA cross with brackets",
    panel=lambda: days(50, 1_260),
    kind="sma_cross",
    params={"fast": 5, "slow": 20},
    share=0.02,
    stop_pct=2.0,
    target_pct=4.0,
)
WORKLOADS = {one.name: one for one in (W1, W2, W3)}


def _opens(count: int) -> np.ndarray:
    """Nanoseconds at which the first `count` sessions from FIRST_DAY on open."""
    opens: list[int] = []
    hours = session_at_or_after("XNYS", FIRST_DAY)
    while len(opens) < count:
        opens.append(int(hours.opens_at.timestamp()) * 1_000_000_000)
        hours = session_at_or_after("XNYS", hours.closes_at)
    return np.array(opens, dtype=np.int64)


def _config(workload: Workload, panel: BarPanel, intrabar: str) -> Config:
    daily = panel.interval_s == DAY_S
    return Config.model_validate(
        {
            "session": {
                "calendar": "XNYS",
                "entry_after_open_s": 0,
                "entry_before_close_s": 0,
                "flatten_before_close_s": 0,
            },
            "universe": {"symbols": list(panel.symbols)},
            "bars": {"interval_s": panel.interval_s, "warm_up": 0},
            "strategy": [
                {
                    "name": workload.name.lower(),
                    "kind": workload.kind,
                    "params": workload.params,
                    "allocation": 1.0,
                    "sizing": {"method": "fixed_fraction", "fraction": workload.share},
                    "exits": {"method": "percent", "stop_pct": workload.stop_pct, "target_pct": workload.target_pct},
                }
            ],
            "execution": {
                "entry": "market",
                "limit_offset_bps": 0.0,
                "entry_timeout_s": 86_400.0,
                "acknowledge_within_s": 10.0,
            },
            "risk": {
                **lifted(),
                "max_order_quantity": 10_000_000,
                "max_order_notional": 1e9,
                "max_position_quantity": 10_000_000,
                "max_position_notional": 1e9,
                "max_gross_exposure": 10.0,
                "price_collar_pct": 50.0,
                "price_jump_pct_max": 90.0,
                "price_age_max_s": 864_000.0 if daily else 3_600.0,
                "protect_within_s": 5.0,
            },
            "replay": {
                "starting_cash": STARTING_CASH,
                "slippage_bps": 0.0,
                "commission": "none",
                "participation": 1.0,
                "intrabar": intrabar,
            },
        }
    )
