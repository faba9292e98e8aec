"""Our side of the latency comparison: the whole daemon, as `openbell run` starts it.

`python -m bench.daemon_client PORT FOLDER [SYMBOLS [STRATEGY]]` runs until it is killed; journal and
log go into FOLDER.
With `hold` (and `burst`) it buys every symbol and keeps it, with `waves` by limit on every other bar.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bench.limits import lifted
from bench.loop_lag import LagMeter
from daemon.runtime.wiring import run_daemon
from shared.config import Config

LAG_FILE = "lag.jsonl"


def config_of(port: int, folder: Path, symbols: list[str], strategy: str) -> Config:
    """Five-second rows, a strategy that trades on each or holds everything; brackets and gate as in any run."""
    return Config.model_validate(
        {
            "state_dir": str(folder / "state"),
            "log_dir": str(folder / "logs"),
            "broker": {"port": port, "follow_gateway_clock": True},
            "session": {
                "calendar": "XNYS",
                "entry_after_open_s": 0,
                "entry_before_close_s": 0,
                "flatten_before_close_s": 0,
            },
            "universe": {"symbols": symbols},
            "bars": {"interval_s": 5, "warm_up": 0},
            "strategy": [
                {
                    "name": strategy,
                    "kind": str(Path(__file__).with_name(f"{'hold' if strategy == 'burst' else strategy}.py")),
                    "allocation": 1.0,
                    "sizing": {
                        "method": "fixed_fraction",
                        "fraction": 0.001 if len(symbols) > 1 else 0.1 if strategy == "burst" else 0.01,
                    },
                    "exits": {"method": "percent", "stop_pct": 1.0, "target_pct": 2.0},
                }
            ],
            "execution": {
                "entry": "limit" if strategy == "waves" else "market",
                "limit_offset_bps": 0.0,
                "entry_timeout_s": 600.0,
                "acknowledge_within_s": 120.0,
            },
            "risk": {
                **lifted(),
                "max_order_quantity": 10_000,
                "max_order_notional": 1e6,
                "max_position_quantity": 10_000,
                "max_position_notional": 1e6,
                "max_gross_exposure": 2.0,
                "price_collar_pct": 5.0,
                "price_jump_pct_max": 10.0,
                "price_age_max_s": 600.0,
                "protect_within_s": 5.0,
            },
        }
    )


if __name__ == "__main__":
    symbols = sys.argv[3].split(",") if len(sys.argv) > 3 else ["SPY"]  # noqa: PLR2004 - a place in argv
    strategy = sys.argv[4] if len(sys.argv) > 4 else "alternate"  # noqa: PLR2004 - a place in argv
    if strategy == "burst":
        asyncio.set_event_loop_policy(LagMeter(Path(sys.argv[2]) / LAG_FILE))
    config = config_of(int(sys.argv[1]), Path(sys.argv[2]), symbols, strategy)
    run_daemon(config, until_close=False, live_flag=False)
