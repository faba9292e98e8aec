"""The written fill rules for bars, each by hand, and plain backtrader as an outside witness."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.simulated.bar_fills import BarMatcher, limit_fill, market_fill, slipped, stop_fill
from brokers.simulated.sim_order import Cancelled, Filled, Reduced, SimOrder, StatusChanged
from shared.market import Bar, BarRow

NAN = math.nan


def a_bar(opened=100.0, high=101.0, low=99.0, close=100.0, volume=1_000_000.0):
    return Bar(opened, high, low, close, volume)


def an_order(key=1, side="BUY", quantity=100, order_type="MKT", **changes):
    fields = {"instrument": 0, "key": key, "side": side, "quantity": quantity, "order_type": order_type}
    return SimOrder(**(fields | changes))


def a_bracket(entry="MKT", stop=95.0, target=110.0, **changes):
    return (
        an_order(1, order_type=entry, **changes),
        an_order(2, "SELL", order_type="STP", stop_price=stop, parent_key=1),
        an_order(3, "SELL", order_type="LMT", limit_price=target, parent_key=1),
    )


def a_matcher(*orders, at=0.0, **options):
    matcher = BarMatcher(**options)
    for order in orders:
        matcher.submit(order, at=at)
    return matcher


def fills(outcomes):
    return [(one.key, one.quantity, pytest.approx(one.price)) for one in outcomes if isinstance(one, Filled)]


# ---- prices


def test_slippage_is_basis_points_of_the_price_against_us():
    assert slipped("BUY", 200.0, 5) == pytest.approx(200.10)
    assert slipped("SELL", 200.0, 5) == pytest.approx(199.90)


def test_a_market_order_gets_the_open_and_the_slippage():
    assert market_fill("BUY", a_bar(opened=50.0), 10) == pytest.approx(50.05)


@pytest.mark.parametrize(
    ("side", "limit", "bar", "price"),
    [
        ("BUY", 99.5, a_bar(low=99.0), 99.5),  # traded through
        ("BUY", 99.0, a_bar(low=99.0), None),  # touched only
        ("BUY", 98.0, a_bar(low=99.0), None),
        ("BUY", 100.5, a_bar(opened=100.0), 100.0),  # opened beyond: the better open
        ("BUY", 100.0, a_bar(opened=100.0, low=100.0), None),  # opened on it: a touch
        ("SELL", 100.5, a_bar(high=101.0), 100.5),
        ("SELL", 101.0, a_bar(high=101.0), None),
        ("SELL", 99.5, a_bar(opened=100.0), 100.0),
    ],
)
def test_a_limit_needs_the_bar_to_trade_through_it_or_open_beyond_it(side, limit, bar, price):
    assert limit_fill(side, limit, bar) == price


@pytest.mark.parametrize(
    ("side", "stop", "bar", "price"),
    [
        ("SELL", 99.5, a_bar(), 99.5),
        ("SELL", 99.0, a_bar(low=99.0), 99.0),  # a touch is enough
        ("SELL", 98.9, a_bar(low=99.0), None),
        ("SELL", 100.5, a_bar(opened=100.0), 100.0),  # gapped: the worse open
        ("BUY", 100.5, a_bar(), 100.5),
        ("BUY", 99.5, a_bar(opened=100.0), 100.0),
        ("BUY", 101.1, a_bar(high=101.0), None),
    ],
)
def test_a_stop_gets_the_worse_of_stop_and_open(side, stop, bar, price):
    assert stop_fill(side, stop, bar) == price


def test_a_stop_pays_slippage_and_a_limit_does_not():
    matcher = a_matcher(
        an_order(1, "SELL", order_type="STP", stop_price=99.5),
        an_order(2, "SELL", order_type="LMT", limit_price=100.5),
        slippage_bps=10,
    )
    assert fills(matcher.on_bar(0, a_bar(), 60)) == [(1, 100, 99.4005), (2, 100, 100.5)]


# ---- which bar


def test_no_order_meets_a_bar_that_is_not_newer_than_the_order():
    matcher = a_matcher(an_order(), at=120.0)
    assert matcher.on_bar(0, a_bar(), 120.0) == []
    assert fills(matcher.on_bar(0, a_bar(opened=102.0, high=103.0), 180.0)) == [(1, 100, 102.0)]


def test_an_order_without_a_time_belongs_to_the_latest_bar_seen():
    matcher = BarMatcher()
    matcher.on_bar(0, a_bar(), 60.0)
    matcher.submit(an_order())
    assert matcher.on_bar(0, a_bar(), 60.0) == []
    assert fills(matcher.on_bar(0, a_bar(), 120.0)) == [(1, 100, 100.0)]


def test_a_row_reaches_the_instruments_with_orders_and_passes_over_those_that_printed_nothing():
    matcher = a_matcher(an_order(1, instrument=0), an_order(2, instrument=1), an_order(3, instrument=2))
    prices = np.array([50.0, NAN, 70.0, 80.0])
    row = BarRow(open=prices, high=prices, low=prices, close=prices, volume=prices * 100)
    assert fills(matcher.on_row(row, 60.0)) == [(1, 100, 50.0), (3, 100, 70.0)]


# ---- order of events inside a bar


def test_the_stop_is_taken_before_the_target_when_one_bar_touches_both():
    matcher = a_matcher(*a_bracket())
    matcher.on_bar(0, a_bar(), 60)
    outcomes = matcher.on_bar(0, a_bar(high=112.0, low=94.0), 120)
    assert outcomes == [
        StatusChanged(2, "Submitted", ""),
        Filled(2, 100, 95.0),
        Cancelled(3, "OCA: order 2 filled"),
    ]


def test_the_open_is_looked_at_before_the_stop():
    matcher = a_matcher(*a_bracket())
    matcher.on_bar(0, a_bar(), 60)
    outcomes = matcher.on_bar(0, a_bar(opened=111.0, high=112.0, low=94.0), 120)
    assert fills(outcomes) == [(3, 100, 111.0)]


def test_an_entry_at_the_open_can_be_stopped_in_its_bar():
    matcher = a_matcher(*a_bracket())
    assert fills(matcher.on_bar(0, a_bar(high=112.0, low=94.0), 60)) == [(1, 100, 100.0), (2, 100, 95.0)]


def test_an_entry_at_the_open_can_take_profit_in_its_bar_for_the_whole_bar_follows_it():
    matcher = a_matcher(*a_bracket())
    assert fills(matcher.on_bar(0, a_bar(high=112.0), 60)) == [(1, 100, 100.0), (3, 100, 110.0)]


def test_an_entry_inside_a_bar_can_be_stopped_in_it():
    matcher = a_matcher(*a_bracket("LMT", limit_price=98.0))
    assert fills(matcher.on_bar(0, a_bar(low=94.0), 60)) == [(1, 100, 98.0), (2, 100, 95.0)]


def test_an_entry_inside_a_bar_cannot_take_profit_in_it():
    matcher = a_matcher(*a_bracket("LMT", limit_price=98.0))
    assert fills(matcher.on_bar(0, a_bar(high=112.0, low=97.0), 60)) == [(1, 100, 98.0)]
    assert fills(matcher.on_bar(0, a_bar(high=112.0), 120)) == [(3, 100, 110.0)]


def test_a_stop_entry_inside_a_bar_can_be_stopped_but_not_take_profit_in_it():
    matcher = a_matcher(*a_bracket("STP", stop_price=105.0))
    bar = a_bar(high=112.0, low=94.0)
    assert fills(matcher.on_bar(0, bar, 60)) == [(1, 100, 105.0), (2, 100, 95.0)]


def test_a_stop_already_passed_by_its_entry_is_filled_at_the_entry_price():
    matcher = a_matcher(*a_bracket("LMT", limit_price=94.0))
    assert fills(matcher.on_bar(0, a_bar(low=93.0), 60)) == [(1, 100, 94.0), (2, 100, 94.0)]


def test_what_fills_inside_a_bar_takes_no_profit_there_while_the_older_part_does():
    matcher = a_matcher(*a_bracket("LMT", limit_price=98.0), participation=0.1)
    assert fills(matcher.on_bar(0, a_bar(low=97.0, volume=400), 60)) == [(1, 40, 98.0)]
    assert fills(matcher.on_bar(0, a_bar(high=112.0, low=97.0, volume=10_000), 120)) == [
        (1, 60, 98.0),
        (3, 40, 110.0),
    ]
    assert fills(matcher.on_bar(0, a_bar(high=112.0, volume=10_000), 180)) == [(3, 60, 110.0)]


@pytest.mark.parametrize("low", [94.0, 99.0])
def test_skipping_the_entry_bar_leaves_the_children_out_of_it(low):
    matcher = a_matcher(*a_bracket(), intrabar="skip_entry_bar")
    assert fills(matcher.on_bar(0, a_bar(high=112.0, low=low), 60)) == [(1, 100, 100.0)]
    assert fills(matcher.on_bar(0, a_bar(high=112.0), 120)) == [(3, 100, 110.0)]


def test_a_stop_limit_that_triggers_inside_a_bar_works_from_the_next_bar_on():
    matcher = a_matcher(an_order(1, "SELL", order_type="STP LMT", stop_price=99.5, limit_price=99.2))
    assert matcher.on_bar(0, a_bar(), 60) == [StatusChanged(1, "Submitted", "")]
    assert fills(matcher.on_bar(0, a_bar(opened=99.1, high=99.4), 120)) == [(1, 100, 99.2)]


def test_a_stop_limit_passed_by_the_open_is_a_limit_for_that_bar():
    matcher = a_matcher(an_order(1, "SELL", order_type="STP LMT", stop_price=101.0, limit_price=100.5))
    assert fills(matcher.on_bar(0, a_bar(opened=100.0, high=101.0), 60)) == [(1, 100, 100.5)]


# ---- participation and partial fills


def test_a_market_order_takes_its_share_of_each_bar_until_it_is_filled():
    matcher = a_matcher(an_order(), participation=0.1)
    assert fills(matcher.on_bar(0, a_bar(volume=605), 60)) == [(1, 60, 100.0)]
    assert fills(matcher.on_bar(0, a_bar(opened=101.0, volume=605), 120)) == [(1, 40, 101.0)]


@pytest.mark.parametrize("volume", [0.0, NAN])
def test_a_bar_without_volume_fills_nothing_unless_participation_is_without_limit(volume):
    assert a_matcher(an_order()).on_bar(0, a_bar(volume=volume), 60) == []
    assert fills(a_matcher(an_order(), participation=None).on_bar(0, a_bar(volume=volume), 60)) == [(1, 100, 100.0)]


def test_the_share_of_a_bar_is_one_for_all_our_orders():
    matcher = a_matcher(an_order(1), an_order(2, "SELL"), participation=0.1)
    assert fills(matcher.on_bar(0, a_bar(volume=1_500), 60)) == [(1, 100, 100.0), (2, 50, 100.0)]


def test_a_partial_target_resizes_the_stop_and_never_cancels_it():
    matcher = a_matcher(*a_bracket(), participation=0.1)
    matcher.on_bar(0, a_bar(volume=1_000), 60)
    outcomes = matcher.on_bar(0, a_bar(high=112.0, volume=300), 120)
    assert outcomes == [Filled(3, 30, 110.0), Reduced(2, 70)]
    assert fills(matcher.on_bar(0, a_bar(low=94.0, volume=1_000), 180)) == [(2, 70, 95.0)]


def test_even_a_cancelling_group_is_only_resized_by_a_partial_fill():
    entry, stop, target = a_bracket()
    stop.oca_type = target.oca_type = 1
    matcher = a_matcher(entry, stop, target, participation=0.1)
    matcher.on_bar(0, a_bar(volume=1_000), 60)
    assert matcher.on_bar(0, a_bar(high=112.0, volume=300), 120) == [Filled(3, 30, 110.0), Reduced(2, 70)]


def test_what_a_partly_filled_stop_leaves_goes_at_the_next_open():
    matcher = a_matcher(*a_bracket(), participation=0.1)
    matcher.on_bar(0, a_bar(volume=1_000), 60)
    outcomes = matcher.on_bar(0, a_bar(low=94.0, volume=300), 120)
    assert outcomes == [StatusChanged(2, "Submitted", ""), Filled(2, 30, 95.0), Reduced(3, 70)]
    outcomes = matcher.on_bar(0, a_bar(opened=93.0, high=94.0, low=92.0), 180)
    assert outcomes == [Filled(2, 70, 93.0), Cancelled(3, "OCA: order 2 filled")]


def test_a_stop_of_a_partly_filled_entry_sells_only_what_was_bought():
    matcher = a_matcher(*a_bracket("LMT", limit_price=98.0), participation=0.1)
    bar = a_bar(low=97.0, volume=400)
    matcher.on_bar(0, bar, 60)
    outcomes = matcher.on_bar(0, a_bar(opened=94.0, high=97.0, low=93.0, volume=400), 120)
    assert fills(outcomes) == [(2, 40, 94.0)]


def test_at_the_close_day_orders_end_and_lasting_ones_stay():
    matcher = a_matcher(an_order(1, order_type="LMT", limit_price=90.0), an_order(2, tif="GTC"))
    assert matcher.on_close() == [Cancelled(1, "end of session")]
    assert fills(matcher.on_bar(0, a_bar(), 60)) == [(2, 100, 100.0)]


@pytest.mark.parametrize("options", [{"slippage_bps": -1.0}, {"slippage_bps": NAN}, {"participation": 0.0}])
def test_impossible_settings_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        BarMatcher(**options)


# ---- properties

_bars = st.lists(st.tuples(st.floats(85, 115), st.floats(0, 15), st.floats(0, 15), st.integers(0, 800)), max_size=15)


@settings(max_examples=150, deadline=None)
@given(_bars, st.sampled_from(["MKT", "LMT", "STP"]), st.sampled_from(["entry_bar", "skip_entry_bar"]))
def test_children_never_close_more_than_the_entry_opened_and_no_price_beats_its_order(bars, entry, intrabar):
    price = {"MKT": {}, "LMT": {"limit_price": 98.0}, "STP": {"stop_price": 103.0}}[entry]
    orders = a_bracket(entry, **price)
    matcher = a_matcher(*orders, participation=0.25, intrabar=intrabar)
    outcomes = []
    for number, (opened, up, down, volume) in enumerate(bars, 1):
        outcomes += matcher.on_bar(0, Bar(opened, opened + up, opened - down, opened, volume), number)
        assert orders[1].filled + orders[2].filled <= orders[0].filled <= 100
    assert all(one.price >= 110.0 for one in outcomes if isinstance(one, Filled) and one.key == 3)
    assert orders[0].status != "Filled" or orders[1].done or orders[1].remaining > 0


# ---- plain backtrader


def test_with_the_entry_bar_skipped_entries_and_exits_are_those_of_plain_backtrader():
    """Backtrader fills a limit at a touch; targets off the tick grid are never just touched."""
    opened, high, low, close = _random_walk(400)
    theirs = _brackets_in_backtrader(opened, high, low, close)
    assert len(theirs) > 40
    assert _brackets_here(opened, high, low, close) == theirs


def _random_walk(count):
    generator = np.random.default_rng(11)
    close = np.round(100 * np.exp(np.cumsum(generator.normal(0, 0.01, count))), 2)
    opened = np.round(np.append(100.0, close[:-1]) * np.exp(generator.normal(0, 0.003, count)), 2)
    high = np.round(np.maximum(opened, close) * (1 + np.abs(generator.normal(0, 0.006, count))), 2)
    low = np.round(np.minimum(opened, close) * (1 - np.abs(generator.normal(0, 0.006, count))), 2)
    return opened.tolist(), high.tolist(), low.tolist(), close.tolist()


def _prices_after(close):
    """Stop and target two percent off, in thousandths that no tick price has."""
    return round(close * 0.98, 2) + 0.0034, round(close * 1.02, 2) + 0.0034


def _brackets_in_backtrader(opened, high, low, close):
    bt = pytest.importorskip("backtrader")
    import pandas as pd

    found = []

    class Brackets(bt.Strategy):  # type: ignore[name-defined]  # backtrader has no types
        def __init__(self):
            self.legs = []

        def next(self):
            if not any(leg.alive() for leg in self.legs):
                stop, target = _prices_after(self.data.close[0])
                self.legs = self.buy_bracket(size=10, exectype=bt.Order.Market, stopprice=stop, limitprice=target)

        def notify_order(self, order):
            if order.status == order.Completed:
                found.append((len(self.data) - 1, round(order.executed.price, 6), order.executed.size))

    days = pd.date_range("2020-01-01", periods=len(close))
    frame = pd.DataFrame({"open": opened, "high": high, "low": low, "close": close, "volume": 1e6}, index=days)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(1e6)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(Brackets)
    cerebro.run()
    return found


def _brackets_here(opened, high, low, close):
    matcher = BarMatcher(participation=None, intrabar="skip_entry_bar")
    found, key = [], 0
    for bar in range(len(close)):
        outcomes = matcher.on_bar(0, Bar(opened[bar], high[bar], low[bar], close[bar], 1e6), float(bar))
        sides = {one.key: 1 if matcher.order(one.key).side == "BUY" else -1 for one in outcomes}
        fills_now = [one for one in outcomes if isinstance(one, Filled)]
        found += [(bar, round(one.price, 6), one.quantity * sides[one.key]) for one in fills_now]
        if not list(matcher.working()):
            stop, target = _prices_after(close[bar])
            entry, key = key + 1, key + 3
            matcher.submit(an_order(entry, "BUY", 10))
            matcher.submit(an_order(entry + 1, "SELL", 10, "STP", stop_price=stop, parent_key=entry))
            matcher.submit(an_order(entry + 2, "SELL", 10, "LMT", limit_price=target, parent_key=entry))
    return found
