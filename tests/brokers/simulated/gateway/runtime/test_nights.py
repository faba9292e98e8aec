import asyncio
import datetime as dt

import pytest
from ib_insync import IB, LimitOrder, MarketOrder, Stock

from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.gateway.runtime.nights import night_events
from brokers.simulated.gateway.server import SimulatedGateway
from brokers.simulated.market.source import Dividend, Split
from tests.brokers.simulated.gateway.raw_client import RawClient, codes
from tests.brokers.simulated.gateway.scripted_market import DAY_S, OPENS_AT, STEP_S, ScriptedMarket, flat

SPY = Stock("SPY", "SMART", "USD")
CLOSES_AT = OPENS_AT + 10 * STEP_S
TOMORROW = OPENS_AT + DAY_S
HOUR_S = 3600.0


def at(text):
    """Epoch seconds of a New York summer instant in October 2013, as `8 23:45`."""
    return dt.datetime.strptime(f"2013-10-{text} -0400", "%Y-%m-%d %H:%M %z").timestamp()


def two_days(*actions, price=100.0):
    following = ScriptedMarket([flat(price)] * 10, opens_at=TOMORROW, actions=actions)
    return ScriptedMarket([flat(100.0)] * 10, following=following)


class Days:
    """Two trading days on a clock that the test moves, and one client."""

    def __init__(self, market, **settings):
        self.clock = ManualClock(OPENS_AT - 60)
        self.gateway = SimulatedGateway(market, self.clock, port=0, sessions=2, **settings)
        self.ib = IB()
        self.codes: list[int] = []
        self.ib.errorEvent += lambda _, code, *__: self.codes.append(code)

    async def __aenter__(self):
        await self.gateway.__aenter__()
        await self.ib.connectAsync("127.0.0.1", self.gateway.port, clientId=1, timeout=5)
        return self

    async def __aexit__(self, *fault):
        self.ib.disconnect()
        await self.gateway.__aexit__(*fault)

    async def to(self, instant):
        """Play everything up to an instant and hear what was said."""
        self.clock.advance_to(instant)
        async with asyncio.timeout(5):
            await self.gateway.session.played_to(instant)
            await self.heard()

    async def to_tomorrow(self):
        await self.to(CLOSES_AT)
        self.clock.advance_to(TOMORROW + STEP_S)
        async with asyncio.timeout(5):
            while self.gateway.session.next_step_at != TOMORROW + STEP_S:
                await self.gateway.session.stirs()
        await self.heard()

    async def heard(self):
        await asyncio.wait_for(self.ib.reqCurrentTimeAsync(), 5)

    async def place(self, order):
        trade = self.ib.placeOrder(SPY, order)
        await self.heard()
        return trade


async def test_over_night_day_orders_die_and_good_till_cancelled_ones_stay():
    async with Days(two_days()) as days:
        await days.to(OPENS_AT + STEP_S)
        day = await days.place(LimitOrder("BUY", 10, 90.0))
        lasting = await days.place(LimitOrder("BUY", 10, 91.0, tif="GTC"))
        await days.to_tomorrow()
        assert [one.orderStatus.status for one in (day, lasting)] == ["Cancelled", "Submitted"]
        assert days.gateway.session.market.session == dt.date(2013, 10, 9)


async def test_bars_go_on_the_next_day_without_asking_again():
    async with Days(two_days()) as days:
        bars = days.ib.reqRealTimeBars(SPY, 5, "TRADES", useRTH=False)
        await days.heard()
        await days.to_tomorrow()
        assert [bar.time.timestamp() for bar in bars][-2:] == [CLOSES_AT - STEP_S, TOMORROW]


async def test_a_split_doubles_the_position_and_cancels_orders_with_202_before_the_open():
    async with Days(two_days(Split(0, 2.0), price=50.0)) as days:
        await days.to(OPENS_AT + STEP_S)
        await days.place(MarketOrder("BUY", 10))
        lasting = await days.place(LimitOrder("SELL", 10, 120.0, tif="GTC"))
        await days.to_tomorrow()
        assert lasting.orderStatus.status == "Cancelled"
        assert 202 in days.codes
        assert [(held.position, held.avgCost) for held in days.ib.positions()] == [(20.0, pytest.approx(50.055))]


async def test_a_dividend_is_paid_on_what_is_held_before_the_open():
    async with Days(two_days(Dividend(0, 0.5))) as days:
        await days.to(OPENS_AT + STEP_S)
        await days.place(MarketOrder("BUY", 10))
        before = days.gateway.ledger.cash
        await days.to_tomorrow()
        assert days.gateway.ledger.cash == before + 5.0


async def test_the_days_profit_begins_anew():
    async with Days(two_days()) as days:
        await days.to(OPENS_AT + STEP_S)
        await days.place(MarketOrder("BUY", 10))
        await days.to(CLOSES_AT)
        assert days.gateway.ledger.daily_pnl == pytest.approx(-1.1)
        await days.to_tomorrow()
        assert days.gateway.ledger.daily_pnl == pytest.approx(0.0)


async def test_an_accelerated_night_is_passed_over_and_the_new_hour_is_told():
    """Seventeen hours at x5000 are twelve seconds; the whole of it takes less than a test may."""
    following = ScriptedMarket([flat(100.0)] * 10, opens_at=TOMORROW)
    market = ScriptedMarket([flat(100.0)] * 10, following=following)
    async with SimulatedGateway(market, port=0, speed=5000.0, sessions=2, lead_in_s=600.0) as gateway:
        client = await RawClient.connected(gateway.port)
        async with asyncio.timeout(5):
            await gateway.closed.wait()
        notices = [fields[4] for fields in await client.answers() if fields[0] == "4" and fields[3] == "2199"]
        client.close()
    assert notices[-1].startswith("SIMULATED gateway: clock=2013-10-09T13:2")
    assert gateway.session.market.session == dt.date(2013, 10, 9)


async def test_what_is_on_the_agenda_in_a_night_that_is_passed_over_happens_at_its_instant():
    market, instants = two_days(), []
    async with SimulatedGateway(market, port=0, speed=5000.0, sessions=2, lead_in_s=600.0) as gateway:
        gateway.session.agenda.at(CLOSES_AT + 5 * HOUR_S, lambda: instants.append(gateway.session.now()))
        async with asyncio.timeout(5):
            await gateway.closed.wait()
    assert instants == [pytest.approx(CLOSES_AT + 5 * HOUR_S, abs=120)]


async def test_a_night_at_a_speed_of_its_own_takes_its_time():
    async with SimulatedGateway(two_days(), port=0, speed=5000.0, sessions=2, night_speed=50.0) as gateway:
        async with asyncio.timeout(5):
            while gateway.session.next_step_at < CLOSES_AT + DAY_S:
                await gateway.session.stirs()
        assert gateway.clock.speed == 50.0


def test_a_night_in_the_week_has_a_restart_and_a_reset_window():
    events = [(event.at, event.lasts_s, event.is_reset) for event in night_events(at("8 16:00"), at("9 09:29"))]
    assert events == [(at("8 23:45"), 60.0, False), (at("9 00:15"), 5400.0, True)]


def test_a_weekend_has_the_long_reset_and_none_on_saturday_night():
    events = [(event.at, event.lasts_s, event.is_reset) for event in night_events(at("11 16:00"), at("14 09:29"))]
    assert events == [
        (at("11 23:00"), 14400.0, True),
        (at("13 00:15"), 5400.0, True),
        (at("13 23:45"), 60.0, False),
        (at("14 00:15"), 5400.0, True),
    ]


async def test_with_nightly_the_socket_is_reset_at_a_quarter_to_midnight_and_the_port_refused_for_a_minute():
    async with Days(two_days(), nightly=True) as days:
        await days.to(CLOSES_AT)
        client = await RawClient.connected(days.gateway.port, client_id=2)
        await client.answers()
        days.clock.advance_to(at("8 23:44"))
        await client.answers()
        days.clock.advance_to(at("8 23:45"))
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(client.reader.readexactly(1), 5)
        with pytest.raises(ConnectionRefusedError):
            await RawClient.connected(days.gateway.port, client_id=2)


async def test_with_nightly_the_link_flaps_in_the_reset_window_and_orders_are_kept():
    async with Days(two_days(), nightly=True) as days:
        await days.to(OPENS_AT + STEP_S)
        await days.place(LimitOrder("BUY", 10, 91.0, tif="GTC"))
        await days.to(CLOSES_AT)
        days.clock.advance_to(at("9 00:10"))
        client = await connected_again(days.gateway.port)
        told = codes(await client.answers())
        for minute in range(16, 40):
            days.clock.advance_to(at(f"9 00:{minute}"))
            told += codes(await client.answers())
        client.close()
    assert [code for code in told if code in {1100, 1102}][:4] == [1100, 1102, 1100, 1102]
    assert [order.request.tif for order in days.gateway.session.desk.open_orders()] == ["GTC"]


async def connected_again(port):
    async with asyncio.timeout(5):
        while True:
            try:
                return await RawClient.connected(port, client_id=2)
            except OSError:
                await asyncio.sleep(0.01)
