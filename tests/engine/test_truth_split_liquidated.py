"""A split waits for a person, and the broker liquidates meanwhile: what it closes are shares of after the split."""

import pytest
from msgspec.structs import replace

from shared.commands import CancelOrder, Flatten, PlaceBracket, ReplaceStop
from shared.events import FillCorrected
from tests.engine.builders import (
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    at,
    cancelled,
    codes,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
)
from tests.engine.test_truth_split_traded import ordered, shown

ORDERS = (PlaceBracket, CancelOrder, Flatten, ReplaceStop)


def an_engine_that_split(ratio):
    """Long 500 at 100; at 2000.3 the broker has shown the shares of after, and nobody has accepted that."""
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    gone = [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")]
    handle_all(engine, [*gone, shown(2000.3, 500 * ratio, 100 / ratio)])
    assert engine.book.is_split_shown("SPY")
    return engine


def liquidated(quantity, price, seconds=2100, exec_id="0009.01.01.01"):
    fill = a_fill(STOP, quantity, price, exec_id=exec_id, seconds=seconds)
    return replace(fill, ref="", is_liquidation=True)


@pytest.mark.parametrize("way", ["told", "reported"])
@pytest.mark.parametrize(("ratio", "shares", "price"), [(0.1, 50, 1020.0), (2, 1000, 51.0), (3, 1500, 34.0)])
def test_what_the_broker_liquidates_of_a_split_closes_the_plan_at_the_price_of_after(ratio, shares, price, way):
    """Found by simulation (brutal 21485): 7 shares for 70 of before, booked as 7 of 70, a profit of 38,000 dollars."""
    engine = an_engine_that_split(ratio)
    plan, fill = engine.book.plans[PLAN], liquidated(shares, price)
    engine.handle(filled(fill) if way == "told" else a_report(2101, fills=[fill]))
    told = handle_all(engine, [a_report(second, fills=[fill]) for second in (2104, 2107, 2110)])
    assert engine.book.quantity("SPY") == 0
    assert plan.realized_profit == pytest.approx(500 * 2.0)
    assert codes(told)[-1:] == ["healed"]
    assert [command for command in told if isinstance(command, ORDERS)] == []


def test_of_two_plans_that_a_split_leaves_as_fractions_a_liquidation_closes_both():
    """500 and 36 shares are 53.6 of after; the broker tells 53 of them."""
    engine = a_long_engine()
    other = "OB1:t:20131008:SPY-1"
    handle_all(engine, [filled(a_fill(f"{other}:E", 36, 100.0, exec_id="0001.02.01.01"))])
    engine.handle(a_report(1000, positions={"SPY": 536}, open_orders=lines_of(engine)))
    gone = [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")]
    handle_all(engine, [*gone, shown(2000.3, 53.6, 1000.0), filled(liquidated(53, 1020.0))])
    told = handle_all(engine, [a_report(second) for second in (2104, 2107, 2110)])
    assert engine.book.quantity("SPY") == 0
    profits = {name: plan.realized_profit for name, plan in engine.book.plans.items()}
    assert profits == pytest.approx({PLAN: 1000.0, other: 72.0})
    assert [command for command in told if isinstance(command, ORDERS)] == []


@pytest.mark.parametrize(("ratio", "closed", "left"), [(0.1, 20, 30), (2, 300, 700), (3, 600, 900)])
def test_what_the_broker_leaves_of_a_split_waits_for_a_person_and_has_its_stop_then(ratio, closed, left):
    engine, price = an_engine_that_split(ratio), 100 / ratio
    fill = liquidated(closed, price)
    told = handle_all(engine, [filled(fill), shown(2110, left, price), fired(f"protect:{PLAN}", 2112)])
    assert [command for command in told if isinstance(command, ORDERS)] == []
    handle_all(engine, [ordered("accept", 2120), shown(2121, left, price)])
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 2123)), ReplaceStop)
    assert (stop.order.quantity, stop.order.stop_price) == (left, pytest.approx(99 / ratio, abs=0.01))
    assert engine.book.plans[PLAN].realized_profit == pytest.approx(0.0, abs=1e-6)


def test_a_liquidation_of_before_the_split_that_is_told_behind_it_counts_as_what_it_was():
    engine = an_engine_that_split(0.1)
    engine.handle(filled(liquidated(200, 100.0, seconds=1990), 2002))
    assert engine.book.quantity("SPY") == 300


def test_a_liquidation_of_after_a_split_that_is_taken_back_gives_the_shares_back_that_it_took():
    engine = an_engine_that_split(0.1)
    engine.handle(filled(liquidated(50, 1020.0)))
    busted = liquidated(0, 1020.0, exec_id="0009.01.01.02", seconds=2200)
    engine.handle(FillCorrected(received_at=at(2200), fill=busted))
    assert engine.book.quantity("SPY") == 500
