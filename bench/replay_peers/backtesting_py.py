"""backtesting.py: one symbol, market orders at the next open; so W1 only.

Its averages are pandas', whose sums drift: where both averages are equal it takes no view, others one on binary dust.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

from bench.replay_peers.contest import Given, take_part


def run(given: Given) -> tuple[int, float]:
    """One run; its indicators are computed at once, its loop is one Python call per bar."""
    import pandas as pd

    backtesting: Any = import_module("backtesting")

    fast, slow, share = given.params["fast"], given.params["slow"], given.share

    class SmaCross(backtesting.Strategy):
        def init(self) -> None:
            closes = pd.Series(self.data.Close)
            apart = closes.rolling(fast).mean() - closes.rolling(slow).mean()
            self.above = self.I(apart.to_numpy)
            self.view: bool | None = None

        def next(self) -> None:
            above = self.above[-1]
            if abs(above) < 1e-9 or self.view == (above > 0):  # noqa: PLR2004 - what a running sum drifts by
                return
            self.view = bool(above > 0)
            if self.view:
                self.buy(size=math.floor(share * self.equity / self.data.Close[-1]))
            elif self.position:
                self.position.close()

    columns: dict[str, Any] = {
        name.capitalize(): given.arrays[name][:, 0] for name in ("open", "high", "low", "close", "volume")
    }
    frame = pd.DataFrame(columns, index=pd.to_datetime(given.closed_at))
    result = backtesting.Backtest(frame, SmaCross, cash=given.cash, finalize_trades=False).run()
    return int(result["# Trades"]) * 2, float(result["Equity Final [$]"])


if __name__ == "__main__":
    import_module("backtesting")  # part of the import time

    take_part(run)
