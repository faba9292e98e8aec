"""vectorbt: signals over the whole panel, then its compiled order simulation. W1 and W3.

Its stops work on the entry bar by a rule of its own, so W3 ends with other money.
"""

from __future__ import annotations

import sys
from importlib import import_module

import numpy as np

from bench.replay_peers.contest import Given, take_part


def run(given: Given) -> tuple[int, float]:
    """Fixed share of the starting cash per position: it cannot size by equity across columns within signals."""
    import pandas as pd

    vbt = import_module("vectorbt")

    close = pd.DataFrame(given.close, columns=given.symbols)
    fast, slow = (close.rolling(given.params[name]).mean() for name in ("fast", "slow"))
    above = fast > slow
    entries = above & ~above.shift(1, fill_value=False)
    exits = (fast < slow) & ~(fast < slow).shift(1, fill_value=False)
    stops = {"sl_stop": given.stop_pct / 100, "tp_stop": given.target_pct / 100} if given.has_brackets else {}
    portfolio = vbt.Portfolio.from_signals(
        close,
        entries.shift(1, fill_value=False),
        exits.shift(1, fill_value=False),
        price=given.open,
        open=given.open,
        high=given.high,
        low=given.low,
        size=np.floor(given.share * given.cash / given.close),
        init_cash=given.cash,
        cash_sharing=True,
        group_by=True,
        **stops,
    )
    return len(portfolio.orders.records), float(portfolio.final_value())


if __name__ == "__main__":
    # This file has the name of what it imports; its own folder must not come first.
    sys.path[:] = [place for place in sys.path if not place.endswith("replay_peers")]
    import_module("vectorbt")  # part of the import time

    take_part(run)
