"""The seeded market as it is by default: calm."""

import datetime as dt
import math

import numpy as np
import pytest

from brokers.simulated.market.listings import LISTINGS, con_id_of
from brokers.simulated.market.source import MarketSource
from brokers.simulated.market.synthetic import DEFAULT_SYMBOLS, SyntheticMarket
from brokers.simulated.market.trading_days import trading_days_before
from shared.errors import DataError

DAY_S = 86_400
FIELDS = ("open", "high", "low", "close", "volume", "bid", "ask", "bid_size", "ask_size")


@pytest.fixture(scope="module")
def market():
    return SyntheticMarket(seed=7)


@pytest.fixture(scope="module")
def session(market):
    steps = list(market.steps())
    return {name: np.array([getattr(step, name) for step in steps]) for name in ("starts_at", *FIELDS)}


def history_of(market, symbol="SPY", **question):
    defaults = {"end_at": market.opens_at, "duration_s": DAY_S, "bar_s": 60}
    return market.history(symbol, **(defaults | question))


def test_it_is_a_market_source(market):
    source: MarketSource = market
    assert len(source.symbols) >= 20
    assert (source.step_s, source.session) == (5, dt.date(2026, 11, 20))


def test_a_session_has_a_step_every_five_seconds_from_open_to_close(market, session):
    opens_at = dt.datetime(2026, 11, 20, 14, 30, tzinfo=dt.UTC).timestamp()
    assert (market.opens_at, market.closes_at) == (opens_at, opens_at + 6.5 * 3600)
    assert session["starts_at"].tolist() == [opens_at + 5 * n for n in range(4680)]


def test_prices_are_on_the_tick_and_inside_their_bar(session):
    traded = ~np.isnan(session["close"])
    prices = np.stack([session[name][traded] for name in ("open", "high", "low", "close")])
    assert np.abs(prices * 100 - np.round(prices * 100)).max() < 1e-6
    assert (prices[1] >= prices.max(axis=0)).all()
    assert (prices[2] <= prices.min(axis=0)).all()
    assert prices.min() > 0


def test_spreads_are_whole_ticks_around_the_last_price(session):
    ticks = (session["ask"] - session["bid"]) * 100
    assert np.abs(ticks - np.round(ticks)).max() < 1e-6
    assert ticks.min() >= 0.999
    traded = ~np.isnan(session["close"])
    assert (session["bid"][traded] <= session["close"][traded] + 1e-9).all()
    assert (session["close"][traded] <= session["ask"][traded] + 1e-9).all()


def test_what_does_not_trade_is_nan_throughout_and_only_thin_names_are_silent(market, session):
    silent = np.isnan(session["close"])
    assert all((np.isnan(session[name]) == silent).all() for name in ("open", "high", "low", "volume"))
    share = dict(zip(market.symbols, silent.mean(axis=0), strict=True))
    assert share["SPY"] == 0
    assert 0.05 < share["DIA"] < 0.5


def test_a_day_trades_about_its_usual_volume_most_of_it_near_open_and_close(market, session):
    total = np.nansum(session["volume"], axis=0)
    usual = np.array([LISTINGS[symbol].daily_volume for symbol in market.symbols])
    assert total == pytest.approx(usual, rel=0.1)
    halves_of_hours = np.nansum(session["volume"], axis=1).reshape(13, 360).sum(axis=1)
    assert min(halves_of_hours[0], halves_of_hours[-1]) > 2 * halves_of_hours[6]


def test_symbols_move_together_with_the_market(market, session):
    minutes = np.log(session["close"][11::12][:, [market.symbols.index(one) for one in ("SPY", "NVDA", "TSLA")]])
    moves = np.diff(minutes[~np.isnan(minutes).any(axis=1)], axis=0)
    correlation = np.corrcoef(moves.T)
    assert correlation[0, 1] > 0.3
    assert correlation[0, 2] > 0.3


def test_a_year_of_days_has_the_volatility_of_the_listing():
    market = SyntheticMarket(symbols=("AAPL",), history_sessions=250)
    days = history_of(market, "AAPL", duration_s=250 * DAY_S, bar_s=DAY_S)
    annual = np.diff(np.log(days.close)).std() * math.sqrt(252)
    assert annual == pytest.approx(LISTINGS["AAPL"].annual_volatility, rel=0.15)  # three standard errors


def test_a_symbols_prices_do_not_depend_on_the_other_symbols_or_on_the_order_of_questions(market):
    small = SyntheticMarket(seed=7, symbols=("TSLA", "SPY"))
    early = history_of(small, end_at=small.opens_at - 20 * DAY_S)
    assert early.close.tolist() == history_of(market, end_at=small.opens_at - 20 * DAY_S).close.tolist()
    asked_first = history_of(small, duration_s=5 * DAY_S, bar_s=300)
    assert asked_first.close.tolist() == history_of(market, duration_s=5 * DAY_S, bar_s=300).close.tolist()
    ours = np.array([step.close[1] for step in small.steps()])
    theirs = np.array([step.close[0] for step in market.steps()])
    assert np.array_equal(ours, theirs, equal_nan=True)


def test_another_seed_is_another_session():
    closes = [[step.close[0] for step in SyntheticMarket(seed=seed, symbols=("SPY",)).steps()] for seed in (1, 2)]
    assert closes[0] != closes[1]


def test_history_leads_up_to_the_open_without_a_break(market):
    days = history_of(market, duration_s=60 * DAY_S, bar_s=DAY_S)
    assert len(days.close) == 60
    gaps = np.abs(np.diff(np.log(days.close)))
    assert gaps.max() < 0.06
    assert abs(math.log(LISTINGS["SPY"].start_price / days.close[-1])) < 0.03
    expected = [day.isoformat() for _, day in zip(range(60), trading_days_before(market.session), strict=False)]
    assert [dt.datetime.fromtimestamp(at, dt.UTC).date().isoformat() for at in days.starts_at[::-1]] == expected


@pytest.mark.parametrize("bar_s", [5, 60, 300, 900, 3600])
def test_history_never_shows_a_bar_that_has_not_ended(market, bar_s):
    end_at = market.opens_at + 2 * 3600 - 1
    bars = history_of(market, end_at=end_at, bar_s=bar_s, duration_s=2 * DAY_S)
    assert bars.starts_at[-1] + bar_s <= end_at
    assert bars.starts_at[-1] + 2 * bar_s > end_at
    assert (np.diff(bars.starts_at) > 0).all()


def test_the_running_day_becomes_a_daily_bar_only_at_its_close(market):
    before = history_of(market, end_at=market.closes_at - 1, bar_s=DAY_S)
    after = history_of(market, end_at=market.closes_at, bar_s=DAY_S)
    assert before.starts_at[-1] < market.opens_at
    assert after.starts_at.tolist() == [market.opens_at]


def test_minutes_daily_bars_and_steps_agree(market, session):
    end_at = market.closes_at
    minutes, day = history_of(market, end_at=end_at), history_of(market, end_at=end_at, bar_s=DAY_S)
    spy = {name: session[name][:, 0] for name in FIELDS}
    assert day.open[0] == minutes.open[0] == spy["open"][0]
    assert day.high[0] == minutes.high.max() == spy["high"].max()
    assert day.low[0] == minutes.low.min() == spy["low"].min()
    assert day.close[0] == minutes.close[-1] == spy["close"][-1]
    assert day.volume[0] == minutes.volume.sum() == spy["volume"].sum()


def test_less_than_a_day_of_history_is_trading_time_back_through_earlier_sessions(market):
    bars = history_of(market, end_at=market.opens_at + 600, duration_s=3600, bar_s=300)
    assert len(bars.close) == 12
    assert (bars.starts_at >= market.opens_at).sum() == 2


def test_contract_ids_are_stable_and_distinct():
    ids = [con_id_of(symbol) for symbol in (*DEFAULT_SYMBOLS, "ZION", "TWX")]
    assert con_id_of("AAPL") == 265598
    assert len(set(ids)) == len(ids)
    assert all(0 < one < 2**31 for one in ids)


def test_what_is_asked_wrongly_is_refused_with_what_is_allowed(market):
    with pytest.raises(DataError, match=r"unknown symbols NOPE, known are SPY"):
        SyntheticMarket(symbols=("SPY", "NOPE"))
    with pytest.raises(DataError, match="2026-11-21 is not a trading day"):
        SyntheticMarket(session=dt.date(2026, 11, 21))
    with pytest.raises(DataError, match="each once"):
        SyntheticMarket(symbols=("SPY", "SPY"))
    with pytest.raises(DataError, match="unknown symbol 'NOPE'"):
        market.min_tick("NOPE")
    with pytest.raises(DataError, match="bar size 7 s"):
        history_of(market, bar_s=7)
    assert market.min_tick("SPY") == 0.01
    assert (market.long_name("SPY"), market.exchange("SPY")) == ("SPDR S&P 500 ETF TRUST", "ARCA")
