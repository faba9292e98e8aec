"""Live against backtest, order by order, worked out by hand."""

from datetime import timedelta

import pytest

from research.nightly.gap import gap_report
from research.nightly.order_log import OrderLog
from shared.commands import Flatten, PlaceBracket, ReplaceStop
from shared.orders import BracketOrder, Fill, Order, OrderType, Side
from tests.runtime.builders import at

PLAN = "OB1:s:20131008:SPY-1"


def an_order(ref, side, quantity=100, *, stop=None, limit=None):
    kind = OrderType.STOP if stop else OrderType.LIMIT if limit else OrderType.MARKET
    symbol = ref.split(":")[3].split("-")[0]
    return Order(
        ref=ref, symbol=symbol, side=side, quantity=quantity, order_type=kind, stop_price=stop, limit_price=limit
    )


def a_bracket(plan=PLAN, quantity=100, side=Side.BUY):
    return PlaceBracket(
        bracket=BracketOrder(
            entry=an_order(f"{plan}:E", side, quantity),
            stop_loss=an_order(f"{plan}:S", side.opposite, quantity, stop=99.0),
            take_profit=an_order(f"{plan}:T", side.opposite, quantity, limit=102.0),
        )
    )


def a_fill(ref, price, quantity=100, *, seconds=61, exec_id="0001.01.01.01", side=Side.BUY):
    return Fill(
        ref=ref,
        exec_id=exec_id,
        symbol=ref.split(":")[3].split("-")[0],
        side=side,
        quantity=quantity,
        price=price,
        filled_at=at(seconds),
    )


class Day:
    """One side's orders; every decision falls on the row that closed at second 60, unless said otherwise."""

    def __init__(self, *, late_s=0.0):
        self.log = OrderLog()
        self._late = timedelta(seconds=late_s)

    def decided(self, command, *, row=60, price=100.0):
        self.log.decided(command, at(row) + self._late, at(row), lambda _symbol: price)
        return self

    def filled(self, *fills):
        for fill in fills:
            self.log.filled(fill)
        return self

    @property
    def orders(self):
        return tuple(self.log.stories.values())


def compared(live, replay, caveats=()):
    return gap_report(live.orders, replay.orders, caveats)


def the_line(report, role="entry"):
    (line,) = [line for line in report.lines if line.role == role]
    return line


def test_an_entry_that_filled_dearer_than_in_the_backtest():
    live = Day(late_s=0.25).decided(a_bracket()).filled(a_fill(f"{PLAN}:E", 100.10))
    replay = Day().decided(a_bracket()).filled(a_fill(f"{PLAN}:E", 100.05))
    report = compared(live, replay)
    line = the_line(report)
    assert line.verdict == "both"
    assert line.live.slippage == pytest.approx(10.0)
    assert line.replay.slippage == pytest.approx(5.0)
    assert line.gap == pytest.approx(5.0)
    assert line.gap_bps == pytest.approx(0.05 / 100.05 * 10_000)
    assert (report.live_slippage, report.model_slippage, report.gap) == pytest.approx((10.0, 5.0, 5.0))
    assert (report.filled_both, report.filled_live_only, report.filled_replay_only) == (1, 0, 0)


def test_a_sale_that_filled_higher_was_cheaper():
    live = Day().decided(a_bracket(side=Side.SELL)).filled(a_fill(f"{PLAN}:E", 100.10))
    replay = Day().decided(a_bracket(side=Side.SELL)).filled(a_fill(f"{PLAN}:E", 100.05))
    assert the_line(compared(live, replay)).gap == pytest.approx(-5.0)


def test_an_entry_that_the_backtest_filled_and_the_market_did_not_is_a_missed_fill():
    live = Day().decided(a_bracket())
    replay = Day().decided(a_bracket()).filled(a_fill(f"{PLAN}:E", 100.05))
    report = compared(live, replay)
    assert the_line(report).verdict == "replay only"
    assert (report.filled_both, report.filled_replay_only, report.gap) == (0, 1, 0.0)


def test_an_entry_that_only_the_market_filled_is_named_too():
    report = compared(Day().decided(a_bracket()).filled(a_fill(f"{PLAN}:E", 100.05)), Day().decided(a_bracket()))
    assert (the_line(report).verdict, report.filled_live_only) == ("live only", 1)


@pytest.mark.parametrize(("live", "replay", "counts"), [(1, 0, (1, 0)), (0, 1, (0, 1))])
def test_an_order_that_only_one_side_decided_is_named(live, replay, counts):
    report = compared(*(Day().decided(a_bracket()) if has else Day() for has in (live, replay)))
    assert (report.decided_live_only, report.decided_replay_only) == counts
    assert the_line(report).verdict == "neither"


def test_plans_are_matched_by_the_row_of_their_decision_and_not_by_their_number():
    live = Day().decided(a_bracket("OB1:s:20131008:SPY-7")).filled(a_fill("OB1:s:20131008:SPY-7:E", 100.0))
    replay = Day().decided(a_bracket()).filled(a_fill(f"{PLAN}:E", 100.0))
    line = the_line(compared(live, replay))
    assert (line.live.ref, line.replay.ref) == ("OB1:s:20131008:SPY-7:E", f"{PLAN}:E")


def test_the_same_decision_a_row_later_is_another_order():
    report = compared(Day().decided(a_bracket(), row=120), Day().decided(a_bracket(), row=60))
    assert (report.decided_live_only, report.decided_replay_only) == (1, 1)


def test_a_stop_that_filled_is_measured_from_its_stop_price():
    live = Day().decided(a_bracket()).filled(a_fill(f"{PLAN}:S", 98.90, side=Side.SELL))
    replay = Day().decided(a_bracket()).filled(a_fill(f"{PLAN}:S", 98.95, side=Side.SELL))
    line = the_line(compared(live, replay), "stop")
    assert line.live.decision_price == 99.0
    assert line.live.slippage == pytest.approx(10.0)
    assert line.gap == pytest.approx(5.0)


def test_a_stop_that_was_moved_is_measured_from_where_it_stood():
    moved = ReplaceStop(order=an_order(f"{PLAN}:S", Side.SELL, stop=99.5))
    live = Day().decided(a_bracket()).decided(moved, row=120).filled(a_fill(f"{PLAN}:S", 99.5, side=Side.SELL))
    assert the_line(compared(live, Day()), "stop").live.slippage == pytest.approx(0.0)


def test_a_stop_and_a_target_that_nobody_touched_are_no_lines():
    report = compared(Day().decided(a_bracket()), Day().decided(a_bracket()))
    assert [line.role for line in report.lines] == ["entry"]


def test_an_exit_is_compared_with_the_exit_of_the_same_plan():
    out = Flatten(order=an_order(f"{PLAN}:X", Side.SELL))
    live = Day().decided(a_bracket()).decided(out, row=180).filled(a_fill(f"{PLAN}:X", 101.0, side=Side.SELL))
    replay = Day().decided(a_bracket()).decided(out, row=240).filled(a_fill(f"{PLAN}:X", 101.2, side=Side.SELL))
    line = the_line(compared(live, replay), "exit")
    assert line.verdict == "both"
    assert line.gap == pytest.approx(20.0)


def test_an_exit_in_two_orders_is_told_as_one():
    first, second = (Flatten(order=an_order(f"{PLAN}:{leg}", Side.SELL)) for leg in ("X", "X2"))
    live = Day().decided(a_bracket()).decided(first, row=180).decided(second, row=240)
    live.filled(
        a_fill(f"{PLAN}:X", 101.0, 40, side=Side.SELL), a_fill(f"{PLAN}:X2", 102.0, 60, exec_id="2", side=Side.SELL)
    )
    line = the_line(compared(live, Day()), "exit")
    assert (line.live.filled, line.live.price) == (100, pytest.approx(101.6))


def test_partial_fills_are_one_average_and_the_gap_counts_what_both_filled():
    live = Day().decided(a_bracket())
    live.filled(a_fill(f"{PLAN}:E", 100.0, 30), a_fill(f"{PLAN}:E", 101.0, 10, exec_id="0001.02.01.01"))
    replay = Day().decided(a_bracket()).filled(a_fill(f"{PLAN}:E", 100.0, 100))
    line = the_line(compared(live, replay))
    assert (line.live.filled, line.live.price) == (40, pytest.approx(100.25))
    assert line.gap == pytest.approx(10.0)


def test_an_execution_told_twice_counts_once_and_a_correction_replaces_it():
    live = Day().decided(a_bracket())
    live.filled(a_fill(f"{PLAN}:E", 100.0), a_fill(f"{PLAN}:E", 100.0))
    assert the_line(compared(live, Day())).live.filled == 100
    live.filled(a_fill(f"{PLAN}:E", 100.5, 90, exec_id="0001.01.01.02"))
    line = the_line(compared(live, Day()))
    assert (line.live.filled, line.live.price) == (90, 100.5)


def test_an_execution_that_was_taken_back_is_no_fill():
    live = Day().decided(a_bracket()).filled(a_fill(f"{PLAN}:E", 100.0))
    live.filled(a_fill(f"{PLAN}:E", 0.0, 0, exec_id="0001.01.01.02"))
    assert the_line(compared(live, Day())).verdict == "neither"


def test_latency_counts_from_the_decision_to_the_confirmation_and_to_the_first_fill():
    live = Day(late_s=0.5).decided(a_bracket())
    live.log.accepted(f"{PLAN}:E", at(61))
    live.log.accepted(f"{PLAN}:E", at(90))
    live.filled(a_fill(f"{PLAN}:E", 100.0, 50, seconds=63), a_fill(f"{PLAN}:E", 100.0, 50, seconds=64, exec_id="2"))
    report = compared(live, Day())
    assert (report.accepted_s_median, report.accepted_s_max) == (0.5, 0.5)
    assert (report.filled_s_median, report.filled_s_max) == (2.5, 2.5)


def test_a_day_without_orders_has_no_figures_and_no_fault():
    report = compared(Day(), Day(), ("a caveat",))
    assert (report.lines, report.caveats, report.accepted_s_median, report.gap) == ((), ("a caveat",), None, 0.0)


def test_orders_that_are_not_ours_are_passed_over():
    log = Day().decided(Flatten(order=an_order("X:s:1:SPY-1", Side.SELL)))
    assert log.orders == ()
