import asyncio
import math

from ib_insync import IB, LimitOrder, MarketOrder, Stock
from msgspec import structs

from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.gateway.server import SimulatedGateway
from brokers.simulated.market.source import AuctionPrinted, Halted, Resumed
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, STEP_S, ScriptedMarket, a_bar, flat


def fills(desktop):
    return [(done.side, done.quantity, done.price) for done in desktop.gateway.ledger.executions]


class Counting:
    """Stands before the matcher's ear and counts what it is told, by instrument."""

    def __init__(self, matcher):
        self.quotes = []
        self._heard = matcher.on_quote
        matcher.on_quote = self

    def __call__(self, instrument, *args, **more):
        self.quotes.append(instrument)
        return self._heard(instrument, *args, **more)


async def test_instruments_without_orders_cost_no_quotes(desktop_with):
    desktop = await desktop_with()
    counted = Counting(desktop.gateway.session.desk.matcher)
    await desktop.play(5)
    assert counted.quotes == []


async def test_only_the_instrument_of_a_working_order_is_quoted(desktop_with):
    desktop = await desktop_with()
    ib = await desktop.connect()
    await desktop.play()
    ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 90.0))
    await desktop.heard(ib)
    counted = Counting(desktop.gateway.session.desk.matcher)
    await desktop.play(3)
    assert counted.quotes == [0, 0, 0]


async def test_an_order_meets_the_quote_of_the_last_step_though_nobody_had_asked_for_it(desktop_with):
    desktop = await desktop_with([flat(100.0), flat(100.0), flat(130.0)])
    ib = await desktop.connect()
    await desktop.play()
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    await desktop.play(2)
    ib.placeOrder(desktop.spy, MarketOrder("SELL", 10))
    await desktop.heard(ib)
    assert fills(desktop) == [("BUY", 10.0, 100.01), ("SELL", 10.0, 129.99)]


async def test_what_we_took_of_a_quote_is_gone_until_the_next_step(desktop_with):
    desktop = await desktop_with([flat(100.0, shown=30.0)] * 2)
    ib = await desktop.connect()
    await desktop.play()
    for _ in range(2):
        ib.placeOrder(desktop.spy, LimitOrder("BUY", 20, 100.01))
    await desktop.heard(ib)
    assert [quantity for _, quantity, _ in fills(desktop)] == [20.0, 10.0]


async def test_while_an_instrument_is_halted_nothing_fills_and_it_goes_on_with_the_resumption(desktop_with):
    events = {1: (Halted(0, 2),), 3: (Resumed(0),)}
    desktop = await desktop_with([flat(100.0)] * 5, events=events)
    ib = await desktop.connect()
    await desktop.play(2)
    trade = ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    await desktop.play()
    assert trade.filled() == 0
    await desktop.play()
    assert trade.filled() == 10


async def test_an_order_on_the_open_trades_in_the_opening_cross_at_its_price(desktop_with):
    cross = AuctionPrinted(0, "open", 100.5, math.inf)
    desktop = await desktop_with([a_bar(100.5, 101, 100, 101)] * 2, events={0: (cross,)})
    ib = await desktop.connect()
    order = MarketOrder("BUY", 10)
    order.tif = "OPG"
    ib.placeOrder(desktop.spy, order)
    await desktop.heard(ib)
    await desktop.play()
    assert fills(desktop) == [("BUY", 10.0, 100.5)]
    assert desktop.gateway.ledger.executions[0].at == OPENS_AT


async def test_an_order_on_the_close_trades_in_the_closing_cross_after_the_steps_trades(desktop_with):
    cross = AuctionPrinted(0, "close", 102.0, 500.0)
    desktop = await desktop_with([flat(100.0)] * 3, events={2: (cross,)})
    ib = await desktop.connect()
    await desktop.play()
    order = MarketOrder("SELL", 600)
    order.orderType = "MOC"
    trade = ib.placeOrder(desktop.spy, order)
    await desktop.heard(ib)
    await desktop.play(2)
    assert fills(desktop) == [("SELL", 500.0, 102.0)]
    assert trade.orderStatus.status == "Cancelled"


async def test_phases_follow_new_yorks_hours(desktop_with):
    desktop = await desktop_with([flat(100.0)] * 720)  # an hour, to the scripted close
    session = desktop.gateway.session
    assert session.phase == "pre"
    await desktop.play()
    assert (session.phase, session.is_open) == ("regular", True)
    await desktop.play(719)
    assert session.phase == "post"
    await desktop.gateway.closed.wait()
    desktop.clock.advance_to(OPENS_AT + 3600 + 4 * 3600)
    assert session.phase == "closed"


class EarlyMarket(ScriptedMarket):
    """Its first two steps lie before the open, and are played only when they are asked for."""

    def __init__(self, script):
        super().__init__(script, lasts_s=3600)
        self.opens_at = OPENS_AT + 2 * STEP_S

    def steps(self, *, include_premarket=False):
        shift = 0 if include_premarket else 2
        for number, step in enumerate(super().steps()):
            if number >= shift:
                yield structs.replace(step, starts_at=OPENS_AT + number * STEP_S)


async def before_the_open(premarket):
    """A market order with outsideRth, placed in the lead-in after the first early step; what has filled then."""
    market, clock = EarlyMarket([flat(100.0)] * 5), ManualClock(OPENS_AT - 60)
    async with SimulatedGateway(market, clock, port=0, premarket=premarket) as gateway:
        ib = IB()
        await ib.connectAsync("127.0.0.1", gateway.port, clientId=1, timeout=5)
        clock.advance_to(OPENS_AT + STEP_S)
        ib.placeOrder(Stock("SPY", "SMART", "USD"), LimitOrder("BUY", 10, 101.0, outsideRth=True))
        for _ in range(5):
            await asyncio.sleep(0)
        await ib.reqCurrentTimeAsync()
        ib.disconnect()
        return gateway.session.phase, len(gateway.ledger.executions)


async def test_before_the_open_the_market_trades_if_the_premarket_is_played():
    assert await before_the_open(premarket=True) == ("pre", 1)


async def test_before_the_open_nothing_trades_otherwise():
    assert await before_the_open(premarket=False) == ("pre", 0)
