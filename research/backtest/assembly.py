"""From a config and a panel to something that runs."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Literal

from brokers.simulated.bar_broker import BarBroker, FillCommission
from brokers.simulated.bar_fills import BarMatcher
from brokers.simulated.commission import commission_of_next_fill
from daemon.engine.assembly import build_engine
from research.backtest.session_driver import SessionDriver
from research.backtest.timeline import Timeline, lay_out
from shared.config import Config
from shared.errors import DataError
from shared.io.bar_store import BarPanel
from shared.sessions import session_at_or_after

REPLAY_ACCOUNT = "DU0000000"


def timeline_of(config: Config, panel: BarPanel, start: date | None = None) -> Timeline:
    """The rows to replay from session `start` on, with the configured warm-up before it.

    Raises DataError when the bars are not of the configured interval, or none lies in a session.
    """
    if panel.interval_s != config.bars.interval_s:
        message = (
            f"bars: the data has bars of {panel.interval_s} s, [bars] interval_s is "
            f"{config.bars.interval_s}, allowed: the same of both"
        )
        raise DataError(message)
    hours_at = partial(session_at_or_after, config.session.calendar)
    return lay_out(panel, hours_at, warm_up=config.bars.warm_up, start=start)


def build_driver(config: Config, panel: BarPanel, timeline: Timeline) -> SessionDriver:
    """A fresh engine and a fresh broker; the panel's symbols stand in the universe's order."""
    universe = config.universe_of()
    assert panel.symbols == universe.symbols
    assumed = config.replay
    broker = BarBroker(
        universe=universe,
        account_id=config.account or REPLAY_ACCOUNT,
        starting_cash=assumed.starting_cash,
        matcher=BarMatcher(
            slippage_bps=assumed.slippage_bps,
            participation=assumed.participation,
            intrabar="skip_entry_bar" if assumed.intrabar == "skip_entry_bar" else "entry_bar",
        ),
        commission=_commission(assumed.commission),
        slippage_bps=assumed.slippage_bps,
    )
    return SessionDriver(
        engine=build_engine(config),
        broker=broker,
        panel=panel,
        timeline=timeline,
        starting_cash=assumed.starting_cash,
    )


def _commission(model: Literal["ib_fixed", "ib_tiered", "none"]) -> FillCommission:
    if model == "none":
        return _free
    return partial(commission_of_next_fill, model)


def _free(filled: float, filled_price: float, quantity: float, price: float) -> float:  # noqa: ARG001 - the shape of a FillCommission
    return 0.0
