"""F20: what a daemon knows after its warm-up is what a strategy knows that has seen the same bars, bit for bit."""

from typing import Any

import numpy as np

from shared.events import BarsClosed
from shared.market import BarRow
from strategies.registry import load_strategy
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT
from tests.scenarios.floor import CALM, prices

CROSS: dict[str, Any] = {
    "name": "t",
    "kind": "sma_cross",
    "params": {"fast": 2, "slow": 5},
    "allocation": 1.0,
    "sizing": {"method": "atr", "risk_fraction": 0.01, "atr_period": 3, "atr_multiple": 2.0},
    "exits": {"method": "percent", "stop_pct": 1.0, "target_pct": 5.0},
}


async def test_f20_warm_up_gives_the_state_of_having_seen_the_bars(floor_with):
    floor = await floor_with(prices(CALM))
    await floor.play(12)
    await floor.start(bars={"warm_up": 7}, strategy=[CROSS])
    warm = [event for event in floor.events(BarsClosed) if event.warm_up]
    fresh = load_strategy("sma_cross", floor.config.universe_of(), CROSS["params"], floor.folder)
    bars = floor.gateway.session.market.history("SPY", end_at=OPENS_AT + 60, duration_s=3600, bar_s=5)
    for number in range(-len(warm), 0):
        cells = (bars.open, bars.high, bars.low, bars.close, bars.volume)
        row = dict(zip(BarRow.__struct_fields__, (np.array([cell[number]]) for cell in cells), strict=True))
        fresh.on_row(BarRow(**row), warm[number].closed_at)
    desk = floor.daemon.engine._desks["t"]
    assert len(warm) == 7
    assert desk.strategy.snapshot() == fresh.snapshot()
