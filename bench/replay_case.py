"""What both contestants of the replay comparison trade."""

from __future__ import annotations

from msgspec import Struct

from bench.limits import lifted
from shared.config import Config


class ReplayCase(Struct, frozen=True):
    """SMA cross with percent brackets: `equity_share` of equity per position."""

    symbols: int = 20
    bars: int = 2_000
    fast: int = 5
    slow: int = 20
    stop_pct: float = 0.08
    target_pct: float = 0.16
    equity_share: float = 0.04
    starting_cash: float = 1_000_000.0


CASE = ReplayCase()


def config_of(case: ReplayCase, symbols: tuple[str, ...]) -> Config:
    """Our side: the same strategy, sizes and exits; the gate is on, but wider than anything that happens."""
    return Config.model_validate(
        {
            "session": {
                "calendar": "XNYS",
                "entry_after_open_s": 0,
                "entry_before_close_s": 0,
                "flatten_before_close_s": 0,
            },
            "universe": {"symbols": list(symbols)},
            "bars": {"interval_s": 60, "warm_up": 0},
            "strategy": [
                {
                    "name": "sma",
                    "kind": "sma_cross",
                    "params": {"fast": case.fast, "slow": case.slow},
                    "allocation": 1.0,
                    "sizing": {"method": "fixed_fraction", "fraction": case.equity_share},
                    "exits": {"method": "percent", "stop_pct": case.stop_pct, "target_pct": case.target_pct},
                }
            ],
            "execution": {
                "entry": "market",
                "limit_offset_bps": 0.0,
                "entry_timeout_s": 3_600.0,
                "acknowledge_within_s": 10.0,
            },
            "risk": {
                **lifted(),
                "max_order_quantity": 1_000_000,
                "max_order_notional": 1e8,
                "max_position_quantity": 1_000_000,
                "max_position_notional": 1e8,
                "max_gross_exposure": 2.0,
                "price_collar_pct": 10.0,
                "price_jump_pct_max": 50.0,
                "price_age_max_s": 600.0,
                "protect_within_s": 5.0,
            },
            "replay": {
                "starting_cash": case.starting_cash,
                "slippage_bps": 0.0,
                "commission": "none",
                "participation": 1.0,
                # What plain backtrader does; ours would let a stop work on the entry bar too.
                "intrabar": "skip_entry_bar",
            },
        }
    )
