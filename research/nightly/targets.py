"""What the strategies want as of the last close: the daemon's own engine fed with the bars, without a broker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from daemon.engine.assembly import build_engine
from daemon.engine.engine import Engine
from research.backtest.assembly import REPLAY_ACCOUNT, timeline_of
from research.features.warm_start import show, splits_of
from risk.insider_size import size_factor
from shared.account import Account
from shared.config import Config
from shared.day_plan import PlannedTarget
from shared.events import AccountReported, RunStarted
from shared.io.bar_store import BarPanel


def planned_targets(
    config: Config, panel: BarPanel, start: date | None, equity: float, scores: Mapping[str, float]
) -> tuple[PlannedTarget, ...]:
    """Every target that is not nothing, by strategy and then by symbol, sized at `equity` and the last good closes.

    The strategies see what a daemon sees that starts at session `start`: the rows from then on, the configured warm-up
    before, splits of the table of actions between. None: every row of the panel. Insiders' `scores` scale the sizes.
    The engine is never connected, so it decides and sends nothing; a conviction that it holds at the end is wanted.
    """
    engine = _fed(config, panel, start, equity)
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


def _fed(config: Config, panel: BarPanel, start: date | None, equity: float) -> Engine:
    engine = build_engine(config)
    timeline, first = timeline_of(config, panel), _first_row(config, panel, start)
    began_at = timeline.rows[0].hours.opens_at
    engine.handle(RunStarted(received_at=began_at, run_id="nightly"))
    engine.handle(AccountReported(received_at=began_at, account=_account(config, equity)))
    show(engine, panel, timeline, splits=splits_of(config, panel, timeline), first=first, warm_up=False)
    return engine


def _first_row(config: Config, panel: BarPanel, start: date | None) -> int:
    """The row of the panel with which the warm-up before session `start` begins."""
    if start is None:
        return 0
    timeline = timeline_of(config, panel, start)
    return int((timeline.warm_up if len(timeline.warm_up) else timeline.rows).places[0])


def _account(config: Config, equity: float) -> Account:
    account_id = config.account or REPLAY_ACCOUNT
    return Account(account_id=account_id, net_liquidation=equity, cash=equity, buying_power=equity)
