import numpy as np
import pytest

from research.backtest.round_trips import round_trips
from research.measures.trading import FOREIGN, by_instrument, by_strategy, trading_figures, trip_figures
from shared.orders import Side
from tests.measures.builders import a_curve, a_daily_curve, a_fill, a_result, a_round_trip


def trips_of(*profits):
    fills = [fill for at, profit in enumerate(profits) for fill in a_round_trip(profit, session=2 * at)]
    return round_trips(fills)


def test_winners_and_losers_by_hand():
    found = trip_figures(trips_of(30.0, -10.0, -20.0, 50.0))
    assert (found.round_trips, found.hit_rate_pct) == (4, 50.0)
    assert found.profit == pytest.approx(50.0)
    assert found.profit_factor == pytest.approx(80.0 / 30.0)
    assert found.payoff_ratio == pytest.approx(40.0 / 15.0)
    assert found.expectancy == pytest.approx(12.5)
    assert found.expectancy_pct == pytest.approx(1.25)
    assert (found.losses_in_a_row_max, found.holding_s_mean) == (2, 86_400.0)


def test_a_round_trip_must_earn_its_commission_to_be_a_winner():
    found = trip_figures(round_trips(a_round_trip(1.0, commission=0.75)))
    assert found.hit_rate_pct == 0.0
    assert found.profit == pytest.approx(-0.5)


def test_without_a_loser_there_is_no_profit_factor_and_without_a_winner_it_is_zero():
    assert trip_figures(trips_of(10.0)).profit_factor is None
    assert trip_figures(trips_of(-10.0)).profit_factor == 0.0
    assert trip_figures(trips_of(-10.0)).payoff_ratio is None


def test_a_round_trip_that_earns_nothing_is_neither():
    found = trip_figures(trips_of(0.0, 10.0))
    assert (found.hit_rate_pct, found.profit_factor, found.losses_in_a_row_max) == (50.0, None, 0)


def test_without_round_trips_there_are_no_figures_of_them():
    found = trip_figures([])
    assert (found.round_trips, found.profit, found.hit_rate_pct, found.expectancy) == (0, 0.0, None, None)


def test_turnover_is_everything_bought_and_sold_over_the_mean_equity_a_year():
    result = a_result(a_daily_curve(100.0, 120.0), [a_fill(Side.BUY, 1, 50.0), a_fill(Side.SELL, 1, 60.0, session=1)])
    found = trading_figures(result, [])
    assert found.turnover_annual == pytest.approx(110.0 / 110.0 * 252 / 2)
    assert (found.fills, found.traded) == (2, 110.0)


def test_exposure_counts_rows_with_equity():
    result = a_result(a_daily_curve(100.0, 200.0, -5.0, gross=[50.0, 0.0, 80.0]))
    found = trading_figures(result, [])
    assert found.exposure_pct == pytest.approx(25.0)
    assert found.time_in_market_pct == pytest.approx(200.0 / 3.0)


def test_a_run_without_equity_has_neither_exposure_nor_turnover():
    found = trading_figures(a_result(a_curve([-1.0])), [])
    assert (found.exposure_pct, found.turnover_annual) == (None, None)


def test_each_strategy_and_each_instrument_has_its_own_share():
    fills = [
        *a_round_trip(30.0, strategy="a", symbol="SPY", commission=1.0),
        *a_round_trip(-10.0, strategy="b", symbol="IBM", slippage=0.5),
        *a_round_trip(20.0, strategy="b", symbol="SPY", session=4),
        a_fill(Side.BUY, 1, 100.0, strategy="", symbol="IBM", session=6),
    ]
    result = a_result(a_daily_curve(100.0), fills)
    trips = round_trips(fills)
    foreign, first, second = by_strategy(result, trips)
    assert (foreign.name, foreign.fills, foreign.trips.round_trips) == (FOREIGN, 1, 0)
    assert (first.name, first.commission, second.name, second.slippage) == ("a", 2.0, "b", 1.0)
    assert [first.trips.profit, second.trips.profit] == pytest.approx([28.0, 10.0])
    ibm, spy = by_instrument(result, trips)
    assert (ibm.name, ibm.fills, ibm.trips.round_trips) == ("IBM", 3, 1)
    assert spy.name == "SPY"
    assert spy.trips.profit == pytest.approx(48.0)


def test_the_shares_add_up_to_the_whole():
    rng = np.random.default_rng(1)
    fills = [
        fill
        for at, profit in enumerate(rng.normal(1.0, 10.0, 60).tolist())
        for fill in a_round_trip(profit, session=2 * at, strategy="abc"[at % 3], symbol=("SPY", "IBM")[at % 2])
    ]
    result, trips = a_result(a_daily_curve(100.0), fills), round_trips(fills)
    whole = trading_figures(result, trips)
    assert sum(each.traded for each in by_strategy(result, trips)) == pytest.approx(whole.traded, rel=1e-12)
    assert sum(each.trips.profit for each in by_instrument(result, trips)) == pytest.approx(whole.trips.profit)
