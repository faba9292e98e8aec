import numpy as np
import pandas as pd
import pytest
from scipy import stats

from research.measures.predictions import Convictions, convictions_of, prediction_figures
from tests.backtest.builders import MOMENTUM, a_config
from tests.measures.builders import a_daily_panel

NAMES = ("AAA", "BBB", "CCC", "DDD")


def convictions(standing, close, spoke=None):
    standing, close = np.array(standing, dtype=np.float64), np.array(close, dtype=np.float64)
    spoke = np.ones(len(standing), dtype=np.bool_) if spoke is None else np.array(spoke)
    return Convictions(strategy="one", symbols=NAMES[: standing.shape[1]], standing=standing, spoke=spoke, close=close)


def test_who_orders_the_returns_rightly_has_a_coefficient_of_one():
    found = prediction_figures(convictions([[0.1, 0.2, 0.9]] * 2, [[100, 100, 100], [101, 102, 103]]))
    assert found.rows == 1
    assert found.information_coefficient == pytest.approx(1.0)
    assert (found.directions, found.direction_right_pct) == (3, 100.0)


def test_who_orders_them_wrongly_has_minus_one():
    found = prediction_figures(convictions([[0.9, 0.2, 0.1]] * 2, [[100, 100, 100], [99, 102, 103]]))
    assert found.information_coefficient == pytest.approx(-1.0)
    assert found.direction_right_pct == pytest.approx(200.0 / 3.0)


def test_a_period_lasts_until_the_strategy_speaks_again():
    standing = [[0.1, 0.2, 0.3]] * 3
    close = [[100, 100, 100], [90, 100, 110], [110, 100, 90]]
    found = prediction_figures(convictions(standing, close, spoke=[True, False, True]))
    assert found.rows == 1
    assert found.information_coefficient == pytest.approx(-1.0)


@pytest.mark.parametrize("standing", [[1.0, 1.0, 1.0], [0.5, -0.5, np.nan]], ids=["all equal", "fewer than three"])
def test_rows_that_rank_nothing_have_no_coefficient(standing):
    found = prediction_figures(convictions([standing] * 2, [[100, 100, 100], [101, 102, 103]]))
    assert (found.rows, found.information_coefficient, found.ic_t) == (0, None, None)
    assert found.directions > 0


def test_no_conviction_and_no_move_have_no_direction():
    found = prediction_figures(convictions([[0.0, 1.0, -1.0]] * 2, [[100, 100, 100], [101, 100, 99]]))
    assert (found.directions, found.direction_right_pct) == (1, 100.0)


def test_a_strategy_that_never_speaks_has_no_figures():
    found = prediction_figures(convictions([[0.5] * 3] * 2, [[1.0] * 3] * 2, spoke=[False, False]))
    assert (found.rows, found.directions, found.direction_right_pct) == (0, 0, None)


def test_the_coefficients_are_spearman_s_of_every_row():
    rng = np.random.default_rng(1)
    standing = np.round(rng.uniform(-1, 1, (60, 30)), 1)  # rounded: with ties
    standing[rng.random((60, 30)) < 0.2] = np.nan
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (60, 30)), axis=0))
    moved = pd.DataFrame(close).pct_change().shift(-1)
    by_row = pd.DataFrame(standing).corrwith(moved, axis=1, method="spearman").dropna()
    found = prediction_figures(
        Convictions(
            strategy="one",
            symbols=tuple(map(str, range(30))),
            standing=standing,
            spoke=np.ones(60, dtype=np.bool_),
            close=close,
        )
    )
    assert found.rows == len(by_row) == 59
    assert found.information_coefficient == pytest.approx(by_row.mean(), rel=1e-9)
    assert found.ic_deviation == pytest.approx(by_row.std(), rel=1e-9)
    assert found.ic_t == pytest.approx(stats.ttest_1samp(by_row, 0.0).statistic, rel=1e-9)


def test_the_convictions_of_a_strategy_are_those_it_has_row_by_row():
    # momentum over 1 print, every second row the best of three
    closes = [[100, 100, 100], [101, 100, 99], [102, 103, 99], [103, 104, 110], [104, 104, 120]]
    panel = a_daily_panel(closes, symbols=NAMES[:3])
    strategy = MOMENTUM | {"params": {"lookback": 1, "rebalance_every": 2, "top": 1}}
    config = a_config(*NAMES[:3], strategy=strategy, interval_s=86_400, warm_up=0)
    (found,) = convictions_of(config, panel)
    assert found.spoke.tolist() == [False, True, False, True, False]
    assert found.standing[1:].tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert np.isnan(found.standing[0]).all()
    assert found.close.tolist() == panel.close.tolist()


def test_a_price_that_the_engine_does_not_believe_is_not_shown_either():
    closes = [[100, 100, 100], [101, 100, 99], [102, 900, 99], [103, 104, 110]]
    daily = a_config(
        *NAMES[:3],
        strategy=MOMENTUM | {"params": {"lookback": 1, "rebalance_every": 1, "top": 1}},
        interval_s=86_400,
        warm_up=0,
    )
    assert daily.risk.price_jump_pct_max == 20.0
    (found,) = convictions_of(daily, a_daily_panel(closes, symbols=NAMES[:3]))
    assert np.isnan(found.close).tolist() == [[False] * 3, [False] * 3, [False, True, False], [False] * 3]


def test_a_split_is_no_move_and_no_news(tmp_path):
    closes = [[700, 100, 100], [707, 100, 99], [102, 103, 99], [103, 103, 99]]
    (tmp_path / "actions.csv").write_text("symbol,ex_date,dividend_amount,split_coefficient\nAAA,2013-10-09,0,7\n")
    strategy = MOMENTUM | {"params": {"lookback": 1, "rebalance_every": 1, "top": 1}}
    config = a_config(*NAMES[:3], strategy=strategy, interval_s=86_400, warm_up=0)
    replay = config.replay.model_copy(update={"actions": "actions.csv"})
    config = config.model_copy(update={"replay": replay}).based_at(tmp_path)
    (found,) = convictions_of(config, a_daily_panel(closes, symbols=NAMES[:3]))
    assert found.close[:, 0].tolist() == [700, 707, 714, 721]
    assert found.standing[1:].tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
