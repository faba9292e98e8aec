"""The bar that is being made, against the history that is told of it afterwards."""

import pytest

from brokers.simulated.gateway.data.times import span_of
from brokers.simulated.market.bars import DAY_S, MONTH_S, WEEK_S
from brokers.simulated.market.synthetic import SyntheticMarket
from tests.brokers.simulated.gateway.orders.wire import sent_to
from tests.brokers.simulated.gateway.scripted_market import flat

NEW_YORK_TUESDAY_0930 = 1381239000.0  # 2013-10-08 13:30 UTC
TUESDAY = NEW_YORK_TUESDAY_0930 - 9.5 * 3600


@pytest.fixture
async def synthetic_desktop(desktop_on):
    """A synthetic SPY whose session has not begun."""
    return await desktop_on(SyntheticMarket(seed=7, symbols=("SPY",), history_sessions=5))


async def play_to(desktop, seconds):
    """So many seconds into the session."""
    at = desktop.gateway.session.market.opens_at + seconds
    desktop.clock.advance_to(at)
    await desktop.gateway.session.played_to(at)


def prices(values):
    return tuple(values[name] for name in ("open", "high", "low", "close", "volume"))


async def last_update(desktop, ib, what, *, asked_at_s, told_at_s, bar_size="1 min"):
    """The forming bar as it was told last, at so many seconds into the session."""
    await play_to(desktop, asked_at_s)
    ib.client.reqHistoricalData(77, desktop.spy, "", "600 S", bar_size, what, True, 2, True, [])
    await desktop.heard(ib)
    sent = sent_to(desktop)
    await play_to(desktop, told_at_s)
    return [one.values for one in sent if one.name == "historicalDataUpdate"][-1]


@pytest.mark.parametrize("what", ["TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK", "ADJUSTED_LAST"])
@pytest.mark.parametrize("asked_at_s", [-30, 60, 90])
async def test_the_forming_bar_ends_as_the_bar_that_history_has_of_it(synthetic_desktop, what, asked_at_s):
    desktop = synthetic_desktop
    ib = await desktop.connect()
    told = await last_update(desktop, ib, what, asked_at_s=asked_at_s, told_at_s=120)
    market = desktop.gateway.session.market
    known = market.history("SPY", end_at=market.opens_at + 120, duration_s=60, bar_s=60, what=what)
    assert told["date"] == str(int(known.starts_at[-1])) == str(int(market.opens_at + 60))
    columns = (known.open, known.high, known.low, known.close, known.volume)
    assert prices(told) == pytest.approx([column[-1] for column in columns], abs=1e-4)


async def test_the_forming_day_holds_what_was_before_the_question(synthetic_desktop):
    desktop = synthetic_desktop
    ib = await desktop.connect()
    told = await last_update(desktop, ib, "TRADES", asked_at_s=300, told_at_s=600, bar_size="1 day")
    market = desktop.gateway.session.market
    steps = market.history("SPY", end_at=market.opens_at + 600, duration_s=600, bar_s=5)
    assert told["date"] == f"{market.session:%Y%m%d}"
    assert prices(told) == pytest.approx(
        (steps.open[0], steps.high.max(), steps.low.min(), steps.close[-1], steps.volume.sum())
    )


async def test_the_first_forming_hour_begins_with_the_session(synthetic_desktop):
    desktop = synthetic_desktop
    ib = await desktop.connect()
    told = await last_update(desktop, ib, "TRADES", asked_at_s=0, told_at_s=60, bar_size="1 hour")
    assert told["date"] == str(int(desktop.gateway.session.market.opens_at))


async def test_the_forming_bars_date_is_written_as_tws_is_set(desktop_with):
    desktop = await desktop_with([flat(100.0)] * 30, date_format="utc")
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ib.client.reqHistoricalData(77, desktop.spy, "", "600 S", "1 min", "TRADES", True, 1, True, [])
    await desktop.heard(ib)
    await desktop.play()
    (told,) = [one.values for one in sent if one.name == "historicalDataUpdate"]
    assert told["date"] == "20131008-13:30:00"


@pytest.mark.parametrize(
    ("bar_s", "before_s", "length_s"),
    [
        (60, 0, 60),
        (3600, 1800, 3600),
        (DAY_S, 9.5 * 3600, DAY_S),
        (WEEK_S, DAY_S + 9.5 * 3600, 7 * DAY_S),
        (MONTH_S, 7 * DAY_S + 9.5 * 3600, 31 * DAY_S),
    ],
)
def test_a_bar_lies_on_new_yorks_clock_and_calendar(bar_s, before_s, length_s):
    starts_at, ends_at = span_of(NEW_YORK_TUESDAY_0930, bar_s)
    assert NEW_YORK_TUESDAY_0930 - starts_at == before_s
    assert ends_at - starts_at == length_s


def test_the_month_in_which_summer_time_ends_is_an_hour_longer():
    starts_at, ends_at = span_of(NEW_YORK_TUESDAY_0930 + 30 * DAY_S, MONTH_S)
    assert ends_at - starts_at == 30 * DAY_S + 3600
