"""From a config and a panel to something that runs."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path
from typing import Literal

from brokers.simulated.bar_broker import BarBroker, FillCharges
from brokers.simulated.bar_fills import BarMatcher
from brokers.simulated.costs.charging import IbCharges, free_of_charge
from daemon.engine.assembly import build_desks, build_engine, engine_of
from daemon.engine.desk import Desk
from daemon.engine.engine import Engine
from research.backtest.cost_model import cost_model
from research.backtest.foresight import Foresight, look_ahead
from research.backtest.recital import recitals_of
from research.backtest.session_driver import SessionDriver
from research.backtest.sleeper import Sleeper
from research.backtest.timeline import Timeline, lay_out
from shared.config import Config
from shared.errors import DataError
from shared.io.bar_store import BarPanel
from shared.io.session_cache import cache_folder, prepare_sessions
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
    prepare_sessions(config.session.calendar, cache_folder())
    hours_at = partial(session_at_or_after, config.session.calendar)
    return lay_out(panel, hours_at, warm_up=config.bars.warm_up, start=start)


def build_driver(
    config: Config, panel: BarPanel, timeline: Timeline, *, sparse: bool = True, features: Path | None = None
) -> SessionDriver:
    """A fresh engine and a fresh broker; the panel's symbols stand in the universe's order.

    With `sparse` the rows on which nothing can happen are passed over, if every strategy says its decisions for whole
    panels and no corporate action changes the scale of prices on the way. Strategies read what they ask of `features`
    from there; DataError where they cannot.
    """
    universe = config.universe_of()
    assert panel.symbols == universe.symbols
    assumed = config.replay
    costs = cost_model(config, panel, timeline)
    fixed_bps = assumed.slippage_bps if costs.market_slippage is None else 0.0  # else a part of the model
    broker = BarBroker(
        universe=universe,
        account_id=config.account or REPLAY_ACCOUNT,
        starting_cash=assumed.starting_cash,
        matcher=BarMatcher(
            slippage_bps=fixed_bps,
            market_slippage=costs.market_slippage,
            participation=assumed.participation,
            intrabar="skip_entry_bar" if assumed.intrabar == "skip_entry_bar" else "entry_bar",
        ),
        charge=_charges(assumed.commission),
        slippage_bps=fixed_bps,
        market_slippage=costs.market_slippage,
    )
    if features is not None and costs.carrying.rescales:
        raise DataError(f"replay: --features {features}: a split changes the scale of prices, allowed: none")
    engine, sleeper = _engine(
        config, costs.panel, timeline, sparse=sparse and not costs.carrying.rescales, features=features
    )
    return SessionDriver(
        engine=engine,
        broker=broker,
        panel=costs.panel,
        timeline=timeline,
        carrying=costs.carrying,
        starting_cash=assumed.starting_cash,
        sleeper=sleeper,
        insider_scores=_insider_scores(config, timeline),
    )


def _insider_scores(config: Config, timeline: Timeline) -> dict[date, dict[str, float]]:
    if not config.insiders.scale:
        return {}
    from research.ingest.point_in_time.sized_by_insiders import scores_before

    rows = timeline.rows
    return scores_before(config, rows[0].hours.session, rows[len(rows) - 1].hours.session)


def _engine(
    config: Config, panel: BarPanel, timeline: Timeline, *, sparse: bool, features: Path | None
) -> tuple[Engine, Sleeper | None]:
    if not sparse and features is None:
        return build_engine(config), None
    foresight = look_ahead(panel, timeline, config.risk.price_jump_pct_max)
    if sparse:
        desks = _desks(config, (panel, timeline, foresight), features)
        recitals = recitals_of(desks, foresight.rows)
        if recitals is not None:
            engine = engine_of(config, desks)
            return engine, Sleeper(engine=engine, recitals=recitals, foresight=foresight, timeline=timeline)
    return engine_of(config, _desks(config, (panel, timeline, foresight), features)), None


def _desks(config: Config, laid: tuple[BarPanel, Timeline, Foresight], features: Path | None) -> list[Desk]:
    """Fresh ones; where there is a folder of features, their strategies read from it."""
    desks = build_desks(config)
    if features is not None:
        from research.backtest.memory import recall_at

        recall_at(desks, laid, features)
    return desks


def _charges(model: Literal["ib_fixed", "ib_tiered", "none"]) -> FillCharges:
    return free_of_charge if model == "none" else IbCharges(model)
