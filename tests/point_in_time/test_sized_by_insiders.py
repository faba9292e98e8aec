"""The scores for a session are those known at the close before it; what is unknown or stale is left out."""

from datetime import UTC, date, datetime
from math import tanh

import pandas as pd
import pytest

from research.ingest.point_in_time.insider_scores import issuer_scores
from research.ingest.point_in_time.sized_by_insiders import known_scores, scores_at, scores_before
from shared.errors import DataError
from tests.backtest.builders import SMA, a_config
from tests.point_in_time.builders import an_order, at, orders

BOUGHT = an_order(day="2024-03-04", known="2024-03-05 17:00")
TUESDAY, WEDNESDAY = datetime(2024, 3, 5, 21, tzinfo=UTC), datetime(2024, 3, 6, 21, tzinfo=UTC)


def found(rows, *closes, symbols=("ACME", "NA"), age_days_max=10):
    return known_scores(rows, symbols, closes, age_days_max)


def test_what_was_filed_after_the_close_counts_from_the_next_close_on():
    before, after = found(orders(BOUGHT), TUESDAY, WEDNESDAY)
    assert before == {}
    assert list(after) == ["ACME"]
    # One owner and the whole size, two days and 21 hours old of a half-life of 45 (days begin at midnight UTC).
    assert after["ACME"] == pytest.approx(tanh(tanh(0.5 ** ((2 + 21 / 24) / 45))))


def test_the_score_is_the_one_of_the_table_of_scores():
    rows = orders(BOUGHT, an_order("S", owner="Bob", ticker="NA", known="2024-03-05 09:00"))
    (known,) = found(rows, WEDNESDAY)
    instants = at("2024-03-06 16:00")
    assert known == dict(zip(("ACME", "NA"), issuer_scores(rows, ["ACME", "NA"], instants)[0].tolist(), strict=True))


def test_a_table_that_nobody_has_refreshed_scales_nothing():
    late = datetime(2024, 3, 15, 20, tzinfo=UTC)
    assert found(orders(BOUGHT), late, age_days_max=10)[0]
    assert found(orders(BOUGHT), late, age_days_max=9) == [{}]


def test_an_old_order_in_a_fresh_table_scores_nothing_and_is_known():
    rows = orders(BOUGHT, an_order(ticker="NA", day="2021-03-04", known="2021-03-06"))
    assert found(rows, WEDNESDAY)[0]["NA"] == 0.0


def test_an_empty_table_scales_nothing():
    assert found(orders(BOUGHT).iloc[:0], WEDNESDAY) == [{}]


@pytest.fixture
def config(tmp_path):
    order = {key: value for key, value in BOUGHT.items() if key not in {"known_by", "is_derivative", "is_planned"}}
    path = tmp_path / "insiders.parquet"
    pd.DataFrame([{**order, "first_seen_utc": "2024-03-05 22:00:00", "point_in_time": True}]).to_parquet(path)
    plain = a_config("ACME", "NA", strategy=SMA)
    insiders = plain.insiders.model_copy(update={"strength": 0.2, "table": str(path)})
    return plain.model_copy(update={"insiders": insiders})


def test_a_session_has_the_scores_of_the_close_before_it(config):
    found = scores_before(config, date(2024, 3, 6), date(2024, 3, 8))
    assert [(day.day, list(scores)) for day, scores in found.items()] == [(6, []), (7, ["ACME"]), (8, ["ACME"])]
    assert found[date(2024, 3, 7)] == scores_at(config, [WEDNESDAY])[0]


def test_a_table_that_is_none_is_one_line(config, tmp_path):
    (tmp_path / "insiders.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"insiders\.parquet"):
        scores_at(config, [WEDNESDAY])
