from datetime import date

import numpy as np
import pytest

from shared.corporate_actions import share_ratio
from shared.errors import DataError
from shared.io.action_table import load_actions
from shared.io.bar_store import load_bars
from shared.io.panel_of_bars import bars_of
from shared.io.price_adjustment import changes_shares, factors
from shared.io.stored_actions import Action
from tests.ingest.builders import daily


def test_a_dividend_lowers_earlier_prices_by_its_share_of_the_close_before():
    bars = daily(closes=(100.0, 100.0, 98.0))
    by = factors("AAA", bars.opened_at, bars.close, [Action(ex_date=date(2014, 6, 4), dividend=2.0)], dividends=True)
    assert by.price.tolist() == [0.98, 0.98, 1.0]
    assert by.volume.tolist() == [1.0, 1.0, 1.0]


def test_a_dividend_on_the_day_of_a_split_is_one_of_the_new_share():
    bars = daily(closes=(100.0, 100.0, 49.0))
    action = Action(ex_date=date(2014, 6, 4), dividend=1.0, split=2.0)
    by = factors("AAA", bars.opened_at, bars.close, [action], dividends=True)
    assert by.price.tolist() == pytest.approx([0.49, 0.49, 1.0])


def test_a_spin_off_lowers_prices_and_leaves_the_number_of_shares():
    bars = daily(closes=(100.0, 100.0, 95.0))
    by = factors("AAA", bars.opened_at, bars.close, [Action(ex_date=date(2014, 6, 4), split=1.0527)], dividends=False)
    assert by.price.tolist() == pytest.approx([1 / 1.0527, 1 / 1.0527, 1.0])
    assert by.volume.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("ex_date", [date(2014, 6, 2), date(2014, 6, 1), date(2014, 6, 5)])
def test_an_action_outside_the_bars_changes_nothing(ex_date):
    bars = daily()
    by = factors("AAA", bars.opened_at, bars.close, [Action(ex_date=ex_date, split=2.0)], dividends=False)
    assert by.price.tolist() == [1.0, 1.0, 1.0]


def test_a_dividend_above_the_price_is_refused():
    bars = daily()
    with pytest.raises(DataError, match="dividend 50 of a share at 11, allowed: less than its price"):
        factors("AAA", bars.opened_at, bars.close, [Action(ex_date=date(2014, 6, 4), dividend=50.0)], dividends=True)


@pytest.mark.parametrize("split", [1.0, 2.0, 1.5, 1.25, 7.0, 20.0, 0.1, 0.333333, 1.0527, 2.1, 1.99999, 12.5, 50.0])
def test_what_is_a_split_of_shares_is_so_for_the_replay_too(split):
    assert changes_shares(split) == (share_ratio(split) is not None)


@pytest.mark.recorded
def test_the_total_view_has_the_returns_of_the_vendor(recorded):
    """Alpha Vantage's adjusted_close, whose formula differs in second order; README names seven odd rows."""
    import pandas as pd

    path = recorded / "daily/panel_a_2009_2018.parquet"
    vendor = pd.read_parquet(path, columns=["symbol", "adjusted_close"], filters=[("symbol", "==", "AAPL")])
    bars = bars_of(load_bars(path, ["AAPL"]), "AAPL")
    actions = [
        Action(ex_date=each.ex_date, dividend=each.dividend, split=each.coefficient)
        for each in load_actions(recorded / "events/corporate_actions_panel_a.csv")
        if each.symbol == "AAPL"
    ]
    by = factors("AAPL", bars.opened_at, bars.close, actions, dividends=True)
    ours = np.diff(np.log(bars.close * by.price))
    assert np.abs(ours - np.diff(np.log(vendor["adjusted_close"].to_numpy()))).max() < 2e-3
