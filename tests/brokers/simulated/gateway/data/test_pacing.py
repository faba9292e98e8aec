"""The limits of history requests and market data lines (TWS.md 3.36)."""

from ib_insync import Stock

from brokers.simulated.gateway.data.pacing import HistoryPacing, asked
from brokers.simulated.gateway.protocol.request_shapes import ContractFields
from tests.brokers.simulated.gateway.orders.wire import sent_to
from tests.brokers.simulated.gateway.scripted_market import flat

SPY, IBM = "SPY", "IBM"


def a_contract(symbol):
    return ContractFields(0, symbol, "STK", "", 0.0, "", "", "SMART", "", "USD", "", "")


def taken(pacing, at, contract=SPY, request=("1 D",), what="TRADES"):
    """Whether the request is answered at once; then it counts."""
    wanted = asked(a_contract(contract), what, *request)
    if pacing.wait_s(wanted, at):
        return False
    pacing.take(wanted, at)
    return True


def ask_history(ib, desktop, *req_ids):
    for req_id in req_ids:
        ib.client.reqHistoricalData(req_id, desktop.spy, "", "1 D", "1 min", "TRADES", True, 2, False, [])


def answered(sent):
    return [one.values["reqId"] for one in sent if one.name == "historicalData"]


def test_the_same_request_again_has_to_wait_fifteen_seconds():
    pace = HistoryPacing()
    assert [taken(pace, at) for at in (0.0, 14.0, 15.0)] == [True, False, True]


def test_five_requests_for_one_contract_in_two_seconds_are_enough():
    pace = HistoryPacing()
    answers = [taken(pace, 0.2 * number, request=(number,)) for number in range(6)]
    assert answers == [True] * 5 + [False]
    assert taken(pace, 1.1, contract=IBM)
    assert taken(pace, 2.1, request=("later",))


def test_sixty_in_ten_minutes_are_enough_and_bid_ask_counts_twice():
    pace = HistoryPacing()
    assert all(taken(pace, 3.0 * number, request=(number,), what="BID_ASK") for number in range(30))
    assert not taken(pace, 100.0, request=("one more",))
    assert taken(pace, 601.0, request=("one more",))


async def test_beyond_the_limits_history_gets_162_and_nothing_happens_where_pacing_is_off(desktop_with):
    desktop = await desktop_with(pacing="reject")
    await desktop.play()
    ib = await desktop.connect()
    wanted = ("1 D", "1 min", "TRADES")
    assert len(await ib.reqHistoricalDataAsync(desktop.spy, "", *wanted, useRTH=True)) > 0
    assert len(await ib.reqHistoricalDataAsync(desktop.spy, "", *wanted, useRTH=True)) == 0
    assert ib.errors[-1][1] == 162
    assert "pacing violation" in ib.errors[-1][2]


async def test_the_hundred_and_first_market_data_line_is_refused(desktop_with):
    desktop = await desktop_with(pacing="silent")
    await desktop.play()
    ib = await desktop.connect()
    desktop.gateway.session.messages_per_s = 1_000_000
    ib.client.MaxRequests = 0
    for req_id in range(1000, 1101):
        ib.client.reqMktData(req_id, Stock("SPY", "SMART", "USD"), "", False, False, [])
    await desktop.heard(ib)
    assert [error[:2] for error in ib.errors if error[1] == 101] == [(1100, 101)]


async def test_silent_pacing_answers_history_when_it_would_have_been_allowed(desktop_with):
    desktop = await desktop_with(pacing="silent")
    await desktop.play()
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ask_history(ib, desktop, 77, 78)
    await desktop.heard(ib)
    assert answered(sent) == [77]
    await desktop.play(2)
    assert answered(sent) == [77]
    await desktop.play(1)
    assert answered(sent) == [77, 78]


async def test_a_request_that_waits_can_be_cancelled(desktop_with):
    desktop = await desktop_with(pacing="silent")
    await desktop.play()
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ask_history(ib, desktop, 77, 78)
    ib.client.cancelHistoricalData(78)
    await desktop.heard(ib)
    assert ib.errors[-1][:2] == (78, 162)
    await desktop.play(4)
    assert answered(sent) == [77]


async def test_what_a_client_has_asked_counts_also_for_the_next_one(desktop_with):
    desktop = await desktop_with(pacing="reject")
    await desktop.play()
    first, second = await desktop.connect(1), await desktop.connect(2)
    ask_history(first, desktop, 77)
    await desktop.heard(first)
    ask_history(second, desktop, 88)
    await desktop.heard(second)
    assert second.errors[-1][:2] == (88, 162)


async def test_the_same_real_time_bars_again_within_fifteen_seconds_get_420(desktop_with):
    desktop = await desktop_with(pacing="reject")
    await desktop.play()
    ib = await desktop.connect()
    ib.client.reqRealTimeBars(77, desktop.spy, 5, "TRADES", True, [])
    ib.client.reqRealTimeBars(78, desktop.spy, 5, "TRADES", True, [])
    await desktop.heard(ib)
    assert ib.errors[-1][:2] == (78, 420)


async def test_the_fifty_first_history_that_stays_open_is_refused(desktop_with):
    """Sixty in ten minutes are allowed; the questions are spread so that only their number is too many."""
    desktop = await desktop_with([flat(100.0)] * 60, pacing="reject")
    ib = await desktop.connect()
    desktop.gateway.session.messages_per_s = 1_000_000
    for number in range(51):
        ib.client.reqHistoricalData(
            1000 + number, desktop.spy, "", f"{600 + number} S", "1 min", "TRADES", True, 2, True, []
        )
        await desktop.play()
    assert [error[:2] for error in ib.errors if error[0] > 0] == [(1050, 322)]
