"""What the strategies want as of the last close: the daemon's own engine fed with the bars, without a broker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from daemon.engine.assembly import build_engine
from daemon.engine.engine import Engine
from research.backtest.assembly import REPLAY_ACCOUNT
from research.backtest.timeline import Timeline
from risk.insider_size import size_factor
from shared.account import Account
from shared.config import Config
from shared.day_plan import PlannedTarget
from shared.events import AccountReported, BarsClosed, RunStarted
from shared.io.bar_store import BarPanel


def planned_targets(
    config: Config, panel: BarPanel, timeline: Timeline, equity: float, scores: Mapping[str, float]
) -> tuple[PlannedTarget, ...]:
    """Every target that is not nothing, by strategy and then by symbol, sized at `equity` and the last good closes.

    Insiders' `scores` scale the sizes. The engine is never connected, so it decides and sends nothing; a conviction
    that it holds at the end is wanted.
    """
    engine = _fed(config, panel, timeline, equity)
    found: list[PlannedTarget] = []
    for name, desk in engine.desks.items():
        for symbol in desk.symbols:
            conviction = engine.book.convictions.get(name, {}).get(symbol, 0.0)
            price = engine.book.prices.good_price(engine.universe.index(symbol))
            if conviction == 0 or price is None:
                continue
            factor = size_factor(scores.get(symbol), is_long=conviction > 0, strength=config.insiders.strength)
            found.append(
                PlannedTarget(
                    strategy=name,
                    symbol=symbol,
                    conviction=conviction,
                    quantity=desk.target(symbol, conviction, equity, price, factor=factor),
                    price=price,
                    reason=engine.book.targets[name][symbol].reason,
                )
            )
    return tuple(found)


def _fed(config: Config, panel: BarPanel, timeline: Timeline, equity: float) -> Engine:
    engine = build_engine(config)
    rows = [*timeline.warm_up, *timeline.rows]
    began_at = rows[0].hours.opens_at
    engine.handle(RunStarted(received_at=began_at, run_id="nightly"))
    engine.handle(AccountReported(received_at=began_at, account=_account(config, equity)))
    for row in rows:
        engine.handle(_bars(panel, row.index, row.closed_at))
    return engine


def _bars(panel: BarPanel, index: int, closed_at: datetime) -> BarsClosed:
    return BarsClosed(
        received_at=closed_at, closed_at=closed_at, interval_s=panel.interval_s, row=panel.row(index), warm_up=False
    )


def _account(config: Config, equity: float) -> Account:
    account_id = config.account or REPLAY_ACCOUNT
    return Account(account_id=account_id, net_liquidation=equity, cash=equity, buying_power=equity)
