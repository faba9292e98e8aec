"""The plan's targets: what a daemon wants that starts after the night, splits and stored memory with it."""

from datetime import UTC, datetime, timedelta

import pytest

from research.nightly.night import night_of
from research.nightly.optional_step import OptionalStep
from research.nightly.plan_step import PlanStep
from research.nightly.sequence import Way, carry_out
from research.nightly.step import Outcome
from research.nightly.targets import planned_targets
from shared.config import load_config
from shared.io.bar_store import save_bars
from shared.io.plan_file import plan_path, read_plan
from tests.experiments.builders import daily_panel, days
from tests.experiments.test_cli import DAILY
from tests.features.builders import first_days
from tests.features.live_day import PER_SESSION, a_walk_of_minutes, live_config, replayed
from tests.nightly.killing import QuickBacktest

RISING = [100.0 + day for day in range(12)]
SPLIT_DAY = 9
SEED, ROWS = 36, PER_SESSION + 10
"""A walk on which the last 70 rows and the last session want something else than all of them."""


def a_split_market(folder):
    """Two for one on the tenth day of a steady rise; the configuration with the table that says so."""
    closes = [close / 2 if day >= SPLIT_DAY else close for day, close in enumerate(RISING)]
    panel = daily_panel(closes, "SPY")
    panel.open[SPLIT_DAY, 0] /= 2
    panel.high[SPLIT_DAY, 0] = closes[SPLIT_DAY]
    (folder / "actions.csv").write_text(
        f"symbol,ex_date,dividend_amount,split_coefficient\nSPY,{days(12)[SPLIT_DAY]},0,2\n"
    )
    (folder / "config.toml").write_text(DAILY.replace("warm_up = 0", 'warm_up = 0\nactions = "actions.csv"'))
    return load_config(folder / "config.toml"), panel


def test_a_split_is_no_crash_to_the_plan(tmp_path):
    config, panel = a_split_market(tmp_path)
    (target,) = planned_targets(config, panel, days(12)[0], 1_000_000.0, {})
    # The fast average stays above the slow one; a tenth of a million at the last close, (100 + 11) / 2.
    assert (target.symbol, target.conviction, target.price) == ("SPY", 1.0, 55.5)
    assert target.quantity == int(100_000 / 55.5)


class Audited:
    name = "audit"
    needs = ()

    def inputs(self, _job):
        return {}

    def run(self, _job):
        return Outcome(said="identical")


def planned(config, panel):
    """The plan of the night after the panel's last session, whose backtest is one session long."""
    save_bars(config.base_dir / "bars.parquet", panel)
    close = datetime.fromtimestamp(int(panel.closed_at[-1]) / 1e9, UTC)
    night = night_of(config, close.date(), close + timedelta(days=1), config.base_dir / "bars.parquet")
    steps = (
        OptionalStep("refresh", None, ""),
        OptionalStep("features", None, ""),
        Audited(),
        QuickBacktest(),
        PlanStep(),
    )
    records = carry_out(night, steps, Way(now=lambda: close, say=lambda _line: None))
    assert records["plan"].status == "done", records["plan"].said
    return {each.symbol: each.conviction for each in read_plan(plan_path(config)).targets}


def wanted(engine):
    return {symbol: view for symbol, view in engine.book.convictions["k"].items() if view}


@pytest.fixture
def evening(tmp_path):
    def made(start):
        config = live_config(tmp_path, start)
        nightly = config.nightly.model_copy(update={"sessions": 1})
        return config.model_copy(update={"nightly": nightly}).based_at(tmp_path), first_days(
            a_walk_of_minutes(SEED), ROWS
        )

    return made


def test_where_a_start_goes_on_from_the_stored_bars_the_plan_is_made_from_all_of_them(evening):
    config, panel = evening("stored")
    assert planned(config, panel) == wanted(replayed(config, panel))


def test_where_it_does_not_the_plan_knows_the_sessions_of_the_backtest_alone(evening):
    config, panel = evening("rows")
    assert planned(config, panel) != wanted(replayed(config, panel))
