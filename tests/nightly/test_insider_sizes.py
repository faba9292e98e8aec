"""The plan brings the insiders' scores of the evening; what they do not know is counted."""

import pandas as pd
import pytest

from research.nightly.night import night_of
from research.nightly.sequence import Way, carry_out
from research.nightly.steps import Outside, steps_of
from shared.config import load_config
from shared.io.plan_file import plan_path, read_plan
from tests.nightly.days import a_config_file, a_lived_day
from tests.runtime.builders import CLOSE

SCALED = '[insiders]\nstrength = 0.2\ntable = "insiders.parquet"\n[nightly]\nplan = "require"'


@pytest.fixture
def planned(tmp_path):
    """The plan of a night with this transaction in the table, and what the step said."""

    def plan(ticker, **changes):
        row = {
            "ticker": ticker, "owner": "Ann", "owner_cik": "1", "position": "Chief Executive Officer", "code": "P",
            "transaction_date": "2013-10-01", "shares": 10_000.0, "price": 100.0, "shares_after": 5e5,
            "first_seen_utc": "2013-10-04 12:00:00", "point_in_time": True,
        }  # fmt: skip
        pd.DataFrame([{**row, **changes}]).to_parquet(tmp_path / "insiders.parquet")
        path = a_config_file(tmp_path, nightly=SCALED)
        a_lived_day(path)
        night = night_of(load_config(path), CLOSE.date(), CLOSE, None)
        way = Way(now=lambda: CLOSE, say=lambda _line: None)
        records = carry_out(night, steps_of(Outside(tell=lambda _config, _line: "")), way)
        return read_plan(plan_path(night.config)), records["plan"].said

    return plan


def test_the_plan_holds_the_scores_of_the_close_and_sizes_by_them(planned):
    plan, said = planned("SPY")
    score = plan.insider_scores["SPY"]
    assert 0.4 < score < 0.7
    # A tenth of a million at a close of 100.5, unscaled 995 shares.
    assert plan.targets[0].quantity == int(100_000 * (1 + 0.2 * score) / 100.5)
    assert said.endswith("insider scores of 1 symbols, 0 without one are not scaled")


def test_a_symbol_without_transactions_is_counted_and_not_scaled(planned):
    plan, said = planned("IBM")
    assert (plan.insider_scores, plan.targets[0].quantity) == ({}, 995)
    assert said.endswith("insider scores of 0 symbols, 1 without one are not scaled")


def test_a_stale_table_scales_nothing(planned):
    plan, _ = planned("SPY", transaction_date="2013-08-01", first_seen_utc="2013-08-02 12:00:00")
    assert (plan.insider_scores, plan.targets[0].quantity) == ({}, 995)
