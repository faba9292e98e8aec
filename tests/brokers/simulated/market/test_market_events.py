"""What befalls an eventful synthetic market: auctions, halts, gaps, splits, dividends, bars that are withheld."""

import datetime as dt
import itertools

import numpy as np
import pytest

from brokers.simulated.market.character import Character
from brokers.simulated.market.source import AuctionPrinted, BarWithheld, Dividend, Halted, Resumed, Split
from brokers.simulated.market.synthetic import SyntheticMarket
from shared.errors import DataError

DAY_S = 86_400
SYMBOLS = ("SPY", "AAPL", "DIA")
PRICES = ("open", "high", "low", "close", "volume")


def a_market(symbols=SYMBOLS, session=dt.date(2026, 11, 20), **rates):
    return SyntheticMarket(seed=7, symbols=symbols, session=session, character=Character(**rates))


def events_of(steps, kind):
    """(step number, event) of one kind."""
    return [(row, event) for row, step in enumerate(steps) for event in step.events if isinstance(event, kind)]


def sessions_from(market):
    """The market and the sessions that follow it."""
    while True:
        yield market
        market = market.next_session()


def first_with(market, kind):
    """The first session, from the market's own on, before which there was such a corporate action."""
    follow = itertools.islice(sessions_from(market), 250)
    return next(one for one in follow if any(isinstance(action, kind) for action in one.corporate_actions))


def daily(market, symbol, **question):
    return market.history(symbol, **({"end_at": market.closes_at, "duration_s": 2 * DAY_S, "bar_s": DAY_S} | question))


# ---- auctions


@pytest.fixture(scope="module")
def calm():
    return list(a_market().steps())


def test_a_calm_market_has_auctions_and_nothing_else(calm):
    assert {type(event) for step in calm for event in step.events} == {AuctionPrinted}
    assert a_market().corporate_actions == ()


def test_every_instrument_has_an_auction_in_the_first_and_in_the_last_step(calm):
    found = [(row, event.index, event.kind) for row, event in events_of(calm, AuctionPrinted)]
    assert found == [(0, 0, "open"), (0, 1, "open"), (0, 2, "open")] + [(4679, index, "close") for index in range(3)]


def test_the_opening_auction_prints_the_open_and_the_closing_auction_the_close(calm):
    found = events_of(calm, AuctionPrinted)
    assert [event.price for _, event in found[:3]] == calm[0].open.tolist()
    assert [event.price for _, event in found[3:]] == calm[-1].close.tolist()
    sizes = np.array([event.size for _, event in found]).reshape(2, 3)
    assert (sizes < np.array([calm[0].volume, calm[-1].volume])).all()


def test_the_close_crosses_several_times_what_the_open_does(calm):
    whole = np.nansum([step.volume for step in calm], axis=0)
    sizes = np.array([event.size for _, event in events_of(calm, AuctionPrinted)]).reshape(2, 3)
    assert sizes[0] / whole == pytest.approx(np.full(3, 0.01), abs=0.01)
    assert sizes[1] / whole == pytest.approx(np.full(3, 0.07), abs=0.05)


# ---- halts


@pytest.fixture(scope="module")
def halting():
    return a_market(halt_rate=1.0)


@pytest.fixture(scope="module")
def halted_steps(halting):
    return list(halting.steps())


def test_news_halts_trading_for_five_minutes_with_code_two(halted_steps):
    halts, resumed = events_of(halted_steps, Halted), events_of(halted_steps, Resumed)
    assert len(halts) >= 2
    assert {event.code for _, event in halts} == {2}
    pauses = {
        (index, later - row)
        for row, halt in halts
        for later, resume in resumed
        if (index := halt.index) == resume.index
    }
    assert {lasted for _, lasted in pauses} == {60}


def test_nothing_trades_and_nothing_is_quoted_in_a_halt(halted_steps):
    row, halt = events_of(halted_steps, Halted)[0]
    pause = halted_steps[row : row + 60]
    assert np.isnan([[getattr(step, name)[halt.index] for name in (*PRICES, "bid", "ask")] for step in pause]).all()
    assert [step.bid_size[halt.index] + step.ask_size[halt.index] for step in pause] == [0.0] * 60


def test_trading_resumes_in_an_auction_more_than_five_percent_away(halted_steps):
    row, halt = events_of(halted_steps, Halted)[0]
    step = halted_steps[row + 60]
    auction = next(one for one in step.events if isinstance(one, AuctionPrinted) and one.index == halt.index)
    assert (auction.kind, auction.price) == ("open", step.open[halt.index])
    assert 0 < auction.size < step.volume[halt.index]
    mean = np.nanmean([before.close[halt.index] for before in halted_steps[row - 60 : row]])
    assert abs(auction.price / mean - 1) > 0.05


def test_history_has_no_bars_in_a_halt_and_is_otherwise_what_was_played(halting, halted_steps):
    bars = halting.history("SPY", end_at=halting.closes_at, duration_s=DAY_S, bar_s=5)
    played = [step for step in halted_steps if not np.isnan(step.close[0])]
    assert bars.starts_at.tolist() == [step.starts_at for step in played]
    assert bars.close.tolist() == [step.close[0] for step in played]
    assert len(played) == 4680 - 60


# ---- gaps


def test_a_gap_moves_the_price_overnight_or_at_once_within_the_day():
    market = a_market(symbols=("SPY", "KO", "JNJ", "DIA", "PG"), gap_rate=1.0)
    steps = list(market.steps())
    before = np.array([daily(market, symbol, end_at=market.opens_at).close[-1] for symbol in market.symbols])
    overnight = np.abs(np.log(steps[0].open / before))
    closes = np.log(np.array([step.close for step in steps]))
    opens = np.log(np.array([step.open for step in steps]))
    inside = np.nanmax(np.abs(opens[1:] - closes[:-1]), axis=0)
    jumped = overnight > 0.02
    assert 0 < jumped.sum() < 5
    assert (inside[~jumped] > 0.009).all()
    assert (inside[jumped] < 0.002).all()
    assert events_of(steps, Halted) == []


# ---- corporate actions


def test_a_split_divides_the_price_from_its_day_on():
    market = first_with(a_market(split_rate=0.02), Split)
    split = market.corporate_actions[0]
    symbol = market.symbols[split.index]
    raw = market.ticks(symbol, start_at=None, end_at=market.opens_at, count=1).price[0]
    opened = next(iter(market.steps())).open[split.index]
    assert opened * split.ratio == pytest.approx(raw, rel=0.03)


def test_the_past_of_a_split_is_shown_in_new_shares():
    market = first_with(a_market(split_rate=0.02), Split)
    split = market.corporate_actions[0]
    symbol = market.symbols[split.index]
    raw = market.ticks(symbol, start_at=None, end_at=market.opens_at, count=1).price[0]
    before, day = daily(market, symbol).close.tolist()
    assert before == pytest.approx(raw / split.ratio, abs=0.0001)
    assert day == list(market.steps())[-1].close[split.index]
    assert daily(market, symbol).volume[0] == pytest.approx(daily(market, symbol).volume[1], rel=0.6)


def test_a_dividend_is_a_small_part_of_the_close_before_and_taken_off_the_adjusted_past():
    market = first_with(a_market(dividend_rate=0.02), Dividend)
    dividend = market.corporate_actions[0]
    symbol = market.symbols[dividend.index]
    plain, adjusted = daily(market, symbol), daily(market, symbol, what="ADJUSTED_LAST")
    assert dividend.amount == round(dividend.amount, 2)
    assert 0.0015 < dividend.amount / plain.close[0] < 0.0105
    assert adjusted.close[0] == pytest.approx(plain.close[0] - dividend.amount, abs=0.0001)
    assert adjusted.close[1] == plain.close[1]


# ---- bars that are withheld


@pytest.fixture(scope="module")
def withheld():
    return list(a_market(missing_bar_rate=20.0, late_bar_rate=40.0).steps())


def test_bars_go_missing_or_come_late_as_often_as_asked(withheld):
    found = [event for _, event in events_of(withheld, BarWithheld)]
    missing = [event for event in found if event.late_s is None]
    assert 30 <= len(missing) <= 90  # 60 expected, four standard deviations
    assert 76 <= len(found) - len(missing) <= 164  # 120 expected
    assert {event.late_s for event in found} - {None} == {5.0 * steps for steps in range(1, 13)}


def test_what_was_withheld_was_traded_all_the_same(withheld, calm):
    ours = np.array([[getattr(step, name) for name in PRICES] for step in withheld])
    theirs = np.array([[getattr(step, name) for name in PRICES] for step in calm])
    assert np.array_equal(ours, theirs, equal_nan=True)


def test_a_rate_that_is_none_is_refused():
    with pytest.raises(DataError, match=r"halt_rate = 1.5, allowed is 0 to 1 a day"):
        Character(halt_rate=1.5)
    with pytest.raises(DataError, match=r"late_bar_rate = -1, allowed is 0 to 1000 a day"):
        Character(late_bar_rate=-1)
    with pytest.raises(DataError, match=r"gap_rate = nan"):
        Character(gap_rate=float("nan"))
