"""`gateway.faults`: when faults happen, to whom, how they end, and what is written down."""

import json

import pytest
from ib_insync import LimitOrder

from brokers.simulated.gateway.faults.catalogue import fault_of
from brokers.simulated.gateway.faults.plan import FaultPlan, plan_of
from brokers.simulated.gateway.faults.rule import rule_of
from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.gateway.server import SimulatedGateway
from shared.errors import ConfigError
from tests.brokers.simulated.gateway.faults.stage import SPY, bought, codes, happened, resting, status
from tests.brokers.simulated.gateway.raw_client import RawClient, advanced, again
from tests.brokers.simulated.gateway.scripted_market import DAY_S, OPENS_AT, ScriptedMarket, flat

STEPS = 40


def a_rule(**given):
    rule, mistakes = rule_of(given)
    assert mistakes == []
    return rule


def a_plan(*rules, seed=0):
    return FaultPlan(rules=tuple(a_rule(**given) for given in rules), seed=seed)


class Run:
    """A scripted day with a client that trades a little; `heard` is every frame it got."""

    def __init__(self, gateway, client):
        self.gateway = gateway
        self.client = client
        self.heard = []

    async def go(self):
        say = self.client.say
        self.heard += await self.client.answers()
        say(50, 3, 6, *SPY, 5, "TRADES", 1, "")
        say(1, 11, 5, *SPY, 0, "", 0, 0, "")
        say(6, 2, 1, "")
        for step in range(STEPS):
            self.gateway.clock.advance_to(OPENS_AT + 5 * (step + 1))
            await self.gateway.session.played_to(OPENS_AT + 5 * (step + 1))
            if step % 4 == 1:
                say(20, 100 + step, *SPY, 0, "", "1 min", "600 S", 1, "TRADES", 1, 0, "")
            self.heard += await self.client.answers()


async def a_run(plan=None, *, log=None, arrange=lambda gateway: None):
    """Everything the client heard and everything that was logged, in a run of its own."""
    market = ScriptedMarket([flat(100.0 + step / 10) for step in range(STEPS + 5)], lasts_s=3600)
    clock = ManualClock(OPENS_AT - 60)
    async with SimulatedGateway(market, clock, port=0, faults=plan, fault_log_path=log) as gateway:
        arrange(gateway)
        client = await RawClient.connected(gateway.port)
        run = Run(gateway, client)
        await run.go()
        client.close()
        return run.heard, [entry.line() for entry in gateway.faults.log]


async def bars_of(desktop, ib):
    """The list that the library fills with real-time bars."""
    bars = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=True)
    await desktop.heard(ib)
    return bars


def seconds_of(bars):
    """Their starts, seconds after the open."""
    return [int(bar.time.timestamp() - OPENS_AT) for bar in bars]


# ------------------------------------------------------------------ nothing armed


async def test_without_a_fault_armed_or_with_one_that_is_still_to_come_the_same_bytes_leave():
    calm, _ = await a_run()
    waiting, log = await a_run(a_plan({"name": "bar_disorder", "at": "+20000"}))
    assert calm == waiting
    assert log == []


async def test_after_clear_the_same_bytes_leave_as_if_nothing_had_been_armed():
    def arm_and_clear(gateway):
        for name in ("bar_disorder", "bad_ticks", "stream_stops", "chop_frames", "downgrade", "odd_history"):
            gateway.faults.inject(name)
        gateway.faults.clear()

    calm, _ = await a_run()
    cleared, _ = await a_run(arrange=arm_and_clear)
    assert calm == cleared


# ------------------------------------------------------------------ the same again

BUSY = (
    {"name": "bar_disorder", "probability": 0.3},
    {"name": "bad_ticks", "how": "spike", "probability": 0.2, "at": "+90", "for_s": 100},
    {"name": "history_refused", "how": "420", "probability": 0.5},
    {"name": "farm_storm", "at": "09:31:00", "for_s": 20},
    {"name": "clock_skew", "message": "realTimeBar", "nth": 7, "for_s": 30},
    {"name": "odd_account_values", "how": "missing", "probability": 0.5},
)


async def test_the_same_seed_gives_the_same_log_and_the_same_bytes():
    first = await a_run(a_plan(*BUSY, seed=3))
    assert first == await a_run(a_plan(*BUSY, seed=3))
    assert len(first[1]) > 10


async def test_another_seed_gives_another_log():
    _, first = await a_run(a_plan(*BUSY, seed=3))
    _, second = await a_run(a_plan(*BUSY, seed=4))
    assert first != second


async def test_the_log_of_a_run_given_back_as_a_script_repeats_the_run(tmp_path):
    log = tmp_path / "run.jsonl"
    heard, lines = await a_run(a_plan(*BUSY, seed=3), log=log)
    assert log.read_text().splitlines() == lines
    again, lines_again = await a_run(plan_of(str(log)))
    assert again == heard
    assert lines_again == lines


TRADING = (
    {"name": "duplicate_executions", "probability": 0.4},
    {"name": "reject_order", "probability": 0.3},
    {"name": "placement_warning", "probability": 0.5},
    {"name": "cancel_too_late", "probability": 0.5},
    {"name": "fill_in_parts", "at": "+100", "client": 2},
    {"name": "correct_execution", "message": "execDetails", "nth": 3},
    {"name": "manual_order", "message": "orderStatus", "probability": 0.1, "count": 2},
    {"name": "position_lag", "probability": 0.5},
)


async def a_run_with_orders(desktop_with, plan):
    """What is logged while two clients trade and cancel."""
    desktop = await desktop_with([flat(100.0)] * STEPS, faults=plan)
    ibs = [await desktop.connect(1), await desktop.connect(2)]
    for step in range(16):
        ib = ibs[step % 2]
        trade = await bought(desktop, ib) if step % 4 < 2 else await resting(desktop, ib)
        await desktop.play()
        if step % 8 > 5:
            ib.client.cancelOrder(trade.order.orderId)
            await desktop.heard(ib)
    return [entry.line() for entry in desktop.gateway.faults.log]


async def test_the_log_of_a_run_with_orders_repeats_it_too(desktop_with, tmp_path):
    lines = await a_run_with_orders(desktop_with, a_plan(*TRADING, seed=1))
    log = tmp_path / "run.jsonl"
    log.write_text("\n".join(lines))
    assert {json.loads(line)["name"] for line in lines} == {given["name"] for given in TRADING}
    assert await a_run_with_orders(desktop_with, plan_of(str(log))) == lines


async def test_the_log_of_a_drawn_day_repeats_it(tmp_path):
    async def a_day(plan):
        market = ScriptedMarket([flat(100.0)] * 4680)
        clock = ManualClock(OPENS_AT - 60)
        async with SimulatedGateway(market, clock, port=0, faults=plan) as gateway:
            clock.advance_to(market.closes_at)
            await gateway.session.played_to(market.closes_at)
            return [entry.line() for entry in gateway.faults.log]

    lines = await a_day(plan_of("brutal", 2))
    log = tmp_path / "run.jsonl"
    log.write_text("\n".join(lines))
    assert len(lines) > 5
    assert await a_day(plan_of("brutal", 2)) == lines
    assert await a_day(plan_of(str(log))) == lines


@pytest.mark.parametrize("seed", [1, 2, 5])
async def test_the_rule_of_one_fault_does_not_change_the_draws_of_another(seed):
    alone = a_plan(BUSY[0], seed=seed)
    both = a_plan(BUSY[0], {"name": "position_lag", "probability": 0.5}, seed=seed)
    assert (await a_run(alone))[1] == (await a_run(both))[1]


# ------------------------------------------------------------------ when


@pytest.mark.parametrize("at", ["09:30:20", "+80"])
async def test_a_fault_happens_at_its_time(desktop, at):
    desktop.gateway.faults.arm(a_plan({"name": "farm_storm", "at": at, "for_s": 600}))
    ib = await desktop.connect()
    ib.errors.clear()
    await desktop.play(2)
    assert codes(ib) == []
    await desktop.play()
    assert codes(ib) == [2103]
    assert [entry.at for entry in desktop.gateway.faults.log] == [OPENS_AT + 20]


async def test_a_fault_happens_at_the_third_message_of_its_kind_and_not_again(desktop):
    ib = await desktop.connect()
    bars = await bars_of(desktop, ib)
    desktop.gateway.faults.inject("bar_disorder", message="realTimeBar", nth=3)
    await desktop.play(6)
    assert seconds_of(bars) == [5, 10, 20, 25, 30]


async def test_a_count_ends_it_after_so_many_times(desktop):
    ib = await desktop.connect()
    bars = await bars_of(desktop, ib)
    desktop.gateway.faults.inject("bar_disorder", count=2)
    await desktop.play(4)
    assert seconds_of(bars) == [15, 20]


async def test_a_duration_ends_it_by_itself(desktop):
    ib = await desktop.connect()
    bars = await bars_of(desktop, ib)
    desktop.gateway.faults.inject("bar_disorder", for_s=12)
    await desktop.play(4)
    assert seconds_of(bars) == [15, 20]
    assert desktop.gateway.faults.armed == ()


async def test_an_act_may_be_set_off_by_a_message(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("clock_skew", message="execDetails", nth=2, seconds=60)
    await bought(desktop, ib)
    assert happened(desktop) == []
    await bought(desktop, ib)
    await desktop.play()
    assert happened(desktop) == ["clock_skew"]
    assert (await ib.reqCurrentTimeAsync()).timestamp() == desktop.gateway.session.now() + 60


async def test_a_fault_of_the_second_day_waits_for_it(desktop_with):
    tomorrow = ScriptedMarket([flat(101.0)] * 5, lasts_s=25, opens_at=OPENS_AT + DAY_S)
    today = ScriptedMarket([flat(100.0)] * 2, lasts_s=10, following=tomorrow)
    clock = ManualClock(OPENS_AT - 60)
    plan = a_plan({"name": "farm_storm", "day": 2, "at": "09:30:10", "for_s": 600})
    async with SimulatedGateway(today, clock, port=0, sessions=2, faults=plan) as gateway:
        clock.advance_to(OPENS_AT + DAY_S + 9)
        await gateway.session.played_to(OPENS_AT + DAY_S + 5)
        assert list(gateway.faults.log) == []
        clock.advance_to(OPENS_AT + DAY_S + 15)
        await gateway.session.played_to(OPENS_AT + DAY_S + 15)
        assert [entry.at for entry in gateway.faults.log] == [OPENS_AT + DAY_S + 10]


# ------------------------------------------------------------------ to whom


async def test_a_fault_for_one_client_leaves_the_other_alone(desktop):
    first, second = await desktop.connect(1), await desktop.connect(2)
    desktop.gateway.faults.inject("bar_disorder", client=1)
    bars = await bars_of(desktop, first), await bars_of(desktop, second)
    await desktop.play(3)
    assert [len(one) for one in bars] == [0, 3]


async def test_a_fault_for_one_symbol_leaves_the_other_alone(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("reject_order", symbol="IBM")
    assert status(await resting(desktop, ib)) == "Submitted"
    (ibm,) = await ib.qualifyContractsAsync(type(desktop.spy)("IBM", "SMART", "USD"))
    trade = ib.placeOrder(ibm, LimitOrder("BUY", 1, 100.0))
    await desktop.heard(ib)
    assert status(trade) == "Inactive"


@pytest.mark.parametrize(("symbol", "spikes"), [("SPY", True), ("IBM", False)])
async def test_streams_are_told_apart_by_their_symbol(desktop_with, symbol, spikes):
    desktop = await desktop_with([flat(100.0 + step) for step in range(STEPS)])
    await desktop.play()
    ib = await desktop.connect()
    ticker = ib.reqMktData(desktop.spy)
    bars = await bars_of(desktop, ib)
    desktop.gateway.faults.inject("bad_ticks", how="spike", symbol=symbol)
    desktop.gateway.faults.inject("bar_disorder", symbol=symbol)
    await desktop.play(2)
    assert (ticker.bid > 10_000, len(bars) == 0) == (spikes, spikes)


@pytest.mark.parametrize(("symbol", "fee"), [("SPY", 0.0), ("IBM", 1.0)])
async def test_commissions_are_told_apart_by_the_symbol_of_their_execution(desktop, symbol, fee):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("commission_late", how="never", symbol=symbol)
    trade = await bought(desktop, ib)
    assert trade.fills[0].commissionReport.commission == fee


@pytest.mark.parametrize(("symbol", "left"), [("SPY", "PendingCancel"), ("IBM", "Cancelled")])
async def test_cancels_are_told_apart_by_the_symbol_of_their_order(desktop, symbol, left):
    ib = await desktop.connect()
    trade = await resting(desktop, ib)
    desktop.gateway.faults.inject("cancel_unanswered", symbol=symbol)
    ib.client.cancelOrder(trade.order.orderId)
    await desktop.heard(ib)
    assert status(trade) == left


async def test_an_act_for_one_client_waits_for_an_order_of_that_client(desktop):
    first, second = await desktop.connect(1), await desktop.connect(2)
    desktop.gateway.faults.inject("broker_cancels", client=2)
    spared = await resting(desktop, first)
    await desktop.play()
    meant = await resting(desktop, second)
    await desktop.play()
    assert (status(spared), status(meant)) == ("Submitted", "Cancelled")


async def test_a_client_that_comes_later_is_met_too(desktop):
    desktop.gateway.faults.inject("bar_disorder")
    ib = await desktop.connect()
    bars = await bars_of(desktop, ib)
    await desktop.play(3)
    assert len(bars) == 0


# ------------------------------------------------------------------ ends


@pytest.mark.parametrize(
    ("name", "undone"),
    [
        ("clock_skew", lambda session: session.clock_skew_s == 0),
        ("competing_session", lambda session: not session.feed.conduct.competing_session),
        ("downgrade", lambda session: not session.feed.conduct.delayed),
        ("lose_server", lambda session: session.is_connected),
        ("reject_pace", lambda session: session.pacing == "off"),
        ("farm_storm", lambda session: session.farms["usfarm"] == 2104),
    ],
)
async def test_clear_ends_what_lasts(desktop, name, undone):
    desktop.gateway.faults.inject(name)
    assert not undone(desktop.gateway.session)
    desktop.gateway.faults.clear()
    assert undone(desktop.gateway.session)
    assert desktop.gateway.faults.armed == ()


async def test_clear_opens_a_port_that_was_to_be_refused_for_a_day(desktop):
    desktop.gateway.faults.inject("wait_for_login")
    desktop.gateway.faults.clear()
    client = await again(desktop)
    await client.heard(9)
    client.close()


async def test_what_lasts_is_logged_when_it_begins_and_when_it_ends(desktop):
    desktop.gateway.faults.inject("clock_skew", for_s=20, seconds=5)
    assert [rule.fault for rule in desktop.gateway.faults.armed] == [fault_of("clock_skew")]
    await advanced(desktop, 21)
    lines = [json.loads(entry.line()) for entry in desktop.gateway.faults.log]
    assert [(line["event"], line["number"], line["when"]) for line in lines] == [
        ("happened", 52, "2013-10-08T09:30:05.000-04:00"),
        ("ended", 52, "2013-10-08T09:30:25.000-04:00"),
    ]
    assert (lines[0]["seconds"], lines[0]["for_s"]) == (5, 20)


# ------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("no_such_fault", {}), "name: 'no_such_fault', allowed is 1 to 54"),
        (("freeze", {"for_s": -1}), "for_s: -1, allowed is a number above 0"),
        (("halt", {"symbol": "XYZ"}), "symbol: 'XYZ' is not in this market, allowed is SPY, IBM"),
        (("clock_skew", {"client": 1}), "client: clock_skew is the same for every client, leave it out"),
        (("freeze", {"colour": "red"}), "colour: unknown for freeze, allowed are day, at"),
    ],
)
async def test_a_wrong_injection_is_refused_in_one_line_and_arms_nothing(desktop, given, told):
    name, keywords = given
    with pytest.raises(ConfigError) as refused:
        desktop.gateway.faults.inject(name, **keywords)
    assert refused.value.faults[0].startswith(told)
    assert desktop.gateway.faults.armed == ()


async def test_a_script_with_a_symbol_that_is_not_there_is_refused_before_anything_happens(desktop):
    plan = a_plan({"name": "freeze"}, {"name": "halt", "symbol": "XYZ"})
    with pytest.raises(ConfigError, match="symbol: 'XYZ' is not in this market"):
        desktop.gateway.faults.arm(plan)
    assert desktop.gateway.faults.armed == ()


async def test_a_log_that_cannot_be_written_is_one_line(tmp_path):
    market = ScriptedMarket([flat(100.0)] * 5)
    with pytest.raises(ConfigError, match=r"fault log: .* cannot be written: No such file or directory"):
        SimulatedGateway(market, ManualClock(OPENS_AT), port=0, fault_log_path=tmp_path / "none" / "log.jsonl")
