"""A replay scales sizes by the scores that were known on each evening, as the daemon does by its plan."""

from datetime import date

import pandas as pd
import pytest

from research.backtest.run import RunOptions, run_replay
from shared.events import DayPlanChecked, SessionScheduled
from shared.ids import parse_ref
from shared.orders import Leg
from tests.backtest.builders import SMA, ScriptedEngine, a_config, a_driver, a_panel, flat

RISING = [flat(100.0)] * 30 + [flat(100.0 + minute / 10) for minute in range(360)]


def a_replay(tmp_path, code, *, first_seen, strength=0.25, sparse=True):
    """Shares of the first entry, insiders having bought or sold a million dollars' worth on the first of October."""
    path = tmp_path / "insiders.parquet"
    order = {
        "ticker": "SPY", "owner": "Ann", "owner_cik": "1", "position": "Chief Executive Officer", "code": code,
        "transaction_date": "2013-10-01", "shares": 10_000.0, "price": 100.0, "shares_after": 5e5,
        "first_seen_utc": first_seen, "point_in_time": True,
    }  # fmt: skip
    pd.DataFrame([order]).to_parquet(path)
    plain = a_config("SPY", strategy=SMA)
    insiders = plain.insiders.model_copy(update={"strength": strength, "table": str(path)})
    config = plain.model_copy(update={"insiders": insiders})
    result = run_replay(config, a_panel(RISING), options=RunOptions(sparse=sparse))
    legs = [(parse_ref(each.fill.ref), each.fill.quantity) for each in result.fills]
    return next(quantity for ref, quantity in legs if ref is not None and ref.leg is Leg.ENTRY)


@pytest.mark.parametrize("sparse", [True, False])
def test_the_size_follows_what_was_known_the_evening_before(tmp_path, sparse):
    known = {"first_seen": "2013-10-04 12:00:00", "sparse": sparse}
    plain = a_replay(tmp_path, "P", strength=0.0, **known)
    assert a_replay(tmp_path, "P", **known) > 1.1 * plain
    assert a_replay(tmp_path, "S", **known) < plain
    assert a_replay(tmp_path, "P", first_seen="2013-10-07 12:00:00", sparse=sparse) == plain


def test_the_scores_come_with_the_session_and_expect_nothing():
    engine = ScriptedEngine()
    driver, _ = a_driver(engine, a_panel([flat(100.0)] * 2), insider_scores={date(2013, 10, 7): {"SPY": 0.5}})
    driver.start()
    scheduled, told = engine.events[1:3]
    assert isinstance(scheduled, SessionScheduled)
    assert isinstance(told, DayPlanChecked)
    assert (told.session, told.insider_scores, told.targets) == (date(2013, 10, 7), {"SPY": 0.5}, None)
