"""Each rule by hand: what passes, what does not, and the boundary. docs/risk.md names these tests."""

import math
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from risk.checks import EXIT_RULES, RULES
from risk.gate import judge
from risk.trading_state import TradingState
from risk.view import RiskView
from shared.orders import Side
from tests.risk import test_checks_of_behaviour, test_checks_of_exposure
from tests.risk.builders import NOW, a_view, allowed, an_entry, an_exit, limits

DOCS = Path(__file__).resolve().parents[2] / "docs"
ACTIVE, REDUCING, HALTED, OBSERVE = TradingState


def test_the_usual_entry_passes_every_rule():
    verdict = judge(an_entry(), a_view(), limits())
    assert (verdict.approved_quantity, verdict.breaches, verdict.outcome) == (100, (), "approved")


@pytest.mark.parametrize(
    ("state", "entry", "own_exit", "operators_exit"),
    [(ACTIVE, None, None, None), (REDUCING, 0, None, None), (HALTED, 0, 0, None), (OBSERVE, 0, 0, 0)],
)
def test_trading_state(state, entry, own_exit, operators_exit):
    assert allowed("trading_state", an_entry(), trading_state=state) == entry
    assert allowed("trading_state", an_entry(), trading_state=state, operator_flatten=True) == entry
    assert allowed("trading_state", an_exit(), trading_state=state) == own_exit
    assert allowed("trading_state", an_exit(), trading_state=state, operator_flatten=True) == operators_exit


def test_reduce_only():
    assert allowed("reduce_only", an_exit(), position=100) is None
    assert allowed("reduce_only", an_exit(quantity=101), position=100) == 100
    assert allowed("reduce_only", an_exit(), position=100, exits_working=30) == 70
    assert allowed("reduce_only", an_exit(), position=100, exits_working=130) == 0
    assert allowed("reduce_only", an_exit(), position=0) == 0
    assert allowed("reduce_only", an_exit(), position=-100) == 0
    assert allowed("reduce_only", an_exit(side=Side.BUY), position=-100) is None
    assert allowed("reduce_only", an_entry(), position=0) is None


def test_reconciled():
    assert allowed("reconciled", an_entry(), is_reconciled=True) is None
    assert allowed("reconciled", an_entry(), is_reconciled=False) == 0
    assert allowed("reconciled", an_exit(), is_reconciled=False) is None


def test_unknown_orders():
    assert allowed("unknown_orders", an_entry(), has_unknown=False) is None
    assert allowed("unknown_orders", an_entry(), has_unknown=True) == 0
    assert allowed("unknown_orders", an_exit(), has_unknown=True) is None


def test_instrument_lock():
    assert allowed("instrument_lock", an_entry(), is_locked=False) is None
    assert allowed("instrument_lock", an_entry(), is_locked=True) == 0
    assert allowed("instrument_lock", an_exit(), is_locked=True) is None


@pytest.mark.parametrize("equity", [None, math.nan, math.inf, 0.0, -1.0])
def test_account_known(equity):
    assert allowed("account_known", an_entry(), equity=1.0) is None
    assert allowed("account_known", an_entry(), equity=equity) == 0
    assert allowed("account_known", an_exit(), equity=equity) is None


@pytest.mark.parametrize("exposure", [None, math.nan, math.inf, -1.0])
def test_the_exposure_of_the_account_must_be_known_too(exposure):
    assert allowed("account_known", an_entry(), gross_exposure=exposure) == 0


def test_session_window():
    opens, closes = NOW - timedelta(hours=1), NOW + timedelta(hours=5)
    hours: dict[str, Any] = {
        "opens_at": opens,
        "closes_at": closes,
        "entry_after_open_s": 60,
        "entry_before_close_s": 900,
    }
    second = timedelta(seconds=1)
    first, last = opens + timedelta(seconds=60), closes - timedelta(seconds=900)
    assert allowed("session_window", an_entry(), now=first, **hours) is None
    assert allowed("session_window", an_entry(), now=first - second, **hours) == 0
    assert allowed("session_window", an_entry(), now=last, **hours) is None
    assert allowed("session_window", an_entry(), now=last + second, **hours) == 0
    assert allowed("session_window", an_exit(), now=last + second, **hours) is None


def test_a_clock_that_is_wrong_for_a_moment_opens_no_session():
    opens, closes = NOW, NOW + timedelta(hours=6)
    hours: dict[str, Any] = {"opens_at": opens, "closes_at": closes, "entry_after_open_s": 300}
    too_soon, soon_enough = NOW + timedelta(seconds=240), NOW + timedelta(seconds=300)
    assert allowed("session_window", an_entry(), now=soon_enough, row_at=too_soon, **hours) == 0
    assert allowed("session_window", an_entry(), now=soon_enough, row_at=soon_enough, **hours) is None
    assert allowed("session_window", an_entry(), now=NOW + timedelta(hours=5), row_at=closes, **hours) == 0


@pytest.mark.parametrize("missing", ["opens_at", "closes_at", "row_at"])
def test_without_hours_there_is_no_session(missing):
    assert allowed("session_window", an_entry(), **{missing: None}) == 0


@pytest.mark.parametrize("price", [None, math.nan, math.inf, 0.0, -100.0])
def test_price_known(price):
    assert allowed("price_known", an_entry(), price=0.01) is None
    assert allowed("price_known", an_entry(), price=price) == 0
    assert allowed("price_known", an_exit(), price=price) is None


def test_price_stale():
    def at(seconds):
        return NOW - timedelta(seconds=seconds)

    assert allowed("price_stale", an_entry(), price_at=at(120)) is None
    assert allowed("price_stale", an_entry(), price_at=at(121)) == 0
    assert allowed("price_stale", an_entry(), price_at=at(-121)) == 0
    assert allowed("price_stale", an_entry(), price_at=None) == 0
    assert allowed("price_stale", an_exit(), price_at=None) is None


@pytest.mark.parametrize(("row_s", "left"), [(90, None), (91, 0), (None, None)])
def test_a_price_is_as_old_as_the_row_says_whatever_our_clock_does(row_s, left):
    """brutal 105074: our clock was five minutes behind; a stock halted for as long was bought at its last price."""
    row_at = None if row_s is None else NOW + timedelta(seconds=row_s)
    price_at = NOW - timedelta(seconds=30)
    assert allowed("price_stale", an_entry(), price_at=price_at, row_at=row_at) == left


def test_price_unreasonable():
    assert allowed("price_unreasonable", an_entry(), price_is_suspect=False) is None
    assert allowed("price_unreasonable", an_entry(), price_is_suspect=True) == 0
    assert allowed("price_unreasonable", an_exit(), price_is_suspect=True) is None


def test_price_collar():
    assert allowed("price_collar", an_entry(), price=105.0) is None
    assert allowed("price_collar", an_entry(), price=105.01) == 0
    assert allowed("price_collar", an_entry(), price=95.0) is None
    assert allowed("price_collar", an_entry(), price=94.99) == 0
    assert allowed("price_collar", an_exit(), price=50.0) is None


@pytest.mark.parametrize("reference", [None, math.nan, 0.0])
def test_without_a_good_price_there_is_no_collar_and_no_entry(reference):
    assert allowed("price_collar", an_entry(), reference_price=reference) == 0


def test_the_bad_print_of_the_apple_split_is_outside_the_collar():
    # 2014-06-09 04:00: 645.57 printed once more, after the 7:1 split had made 92.42 of it.
    assert allowed("price_collar", an_entry(), price=645.57, reference_price=92.42) == 0


def test_order_quantity_max():
    assert allowed("order_quantity_max", an_entry(quantity=500)) is None
    assert allowed("order_quantity_max", an_entry(quantity=501)) == 500
    assert allowed("order_quantity_max", an_exit(quantity=501)) is None
    assert allowed("order_quantity_max", an_exit(quantity=0)) == 0
    assert allowed("order_quantity_max", an_entry(quantity=-5)) == 0


def test_order_notional_max():
    # 60,000 at 120 a share is 500 shares; at 130 it is 461.5.
    assert allowed("order_notional_max", an_entry(quantity=500), price=120.0) is None
    assert allowed("order_notional_max", an_entry(quantity=501), price=120.0) == 500
    assert allowed("order_notional_max", an_entry(quantity=500), price=130.0) == 461
    assert allowed("order_notional_max", an_entry(), price=60_000.01) == 0
    assert allowed("order_notional_max", an_entry(quantity=600_000), price=0.1) is None
    assert allowed("order_notional_max", an_exit(quantity=900), price=130.0) is None


def test_position_quantity_max():
    assert allowed("position_quantity_max", an_entry(), position=700, working_buy=200) is None
    assert allowed("position_quantity_max", an_entry(), position=700, working_buy=201) == 99
    assert allowed("position_quantity_max", an_entry(), position=1_000) == 0
    assert allowed("position_quantity_max", an_entry(), position=2_000) == 0
    assert allowed("position_quantity_max", an_entry(), working_sell=1_000) is None
    assert allowed("position_quantity_max", an_entry(side=Side.SELL), position=-950) == 50
    assert allowed("position_quantity_max", an_exit(), position=2_000) is None


def test_a_position_on_the_other_side_makes_no_room():
    assert allowed("position_quantity_max", an_entry(quantity=1_001), position=-500) == 1_000


def test_a_fraction_that_a_split_has_left_takes_the_room_of_a_whole_share():
    assert allowed("position_quantity_max", an_entry(), held_long=900.5) == 99
    assert allowed("position_quantity_max", an_entry(side=Side.SELL), held_short=900.5) == 99
    assert allowed("position_quantity_max", an_entry(), held_short=900.5) is None


def test_shares_of_both_sides_make_no_room_for_each_other():
    assert allowed("position_quantity_max", an_entry(), held_long=950.0, held_short=500.0) == 50
    assert allowed("position_notional_max", an_entry(), held_long=1_150.0, held_short=500.0) == 50


def test_position_notional_max():
    # 120,000 at 100 a share is 1,200 shares.
    assert allowed("position_notional_max", an_entry(), position=1_000, working_buy=100) is None
    assert allowed("position_notional_max", an_entry(), position=1_000, working_buy=150) == 50
    assert allowed("position_notional_max", an_entry(), position=1_300) == 0
    assert allowed("position_notional_max", an_entry(), held_long=1_100.5) == 99
    assert allowed("position_notional_max", an_exit(), position=1_300) is None


def test_gross_exposure_max():
    # A million of equity, once: with 990,000 out there is room for 100 shares at 100.
    assert allowed("gross_exposure_max", an_entry(), gross_exposure=990_000.0) is None
    assert allowed("gross_exposure_max", an_entry(), gross_exposure=990_100.0) == 99
    assert allowed("gross_exposure_max", an_entry(), gross_exposure=1_100_000.0) == 0
    twice = {"max_gross_exposure": 2.0}
    assert allowed("gross_exposure_max", an_entry(), within=twice, gross_exposure=1_990_000.0) is None
    assert allowed("gross_exposure_max", an_exit(), gross_exposure=1_100_000.0) is None
    assert allowed("gross_exposure_max", an_entry(), gross_exposure=None) is None  # account_known refuses


def test_a_price_close_to_nothing_pays_for_no_infinity_of_shares():
    assert allowed("order_notional_max", an_entry(), price=5e-324) == 0


def test_the_documentation_lists_every_rule_in_its_order_with_its_test():
    rows = re.findall(r"^\| `(\w+)` \|.*\| `(\w+)` \|$", (DOCS / "risk.md").read_text(), re.MULTILINE)
    assert [rule for rule, _ in rows] == list(RULES)
    written = {*globals(), *vars(test_checks_of_exposure), *vars(test_checks_of_behaviour)}
    assert [test for _, test in rows] == [name for name in (f"test_{rule}" for rule in RULES) if name in written]


def test_every_function_stands_in_the_table_under_its_own_name():
    assert [rule.__name__ for rule in RULES.values()] == list(RULES)


def what_an_exit_knows(position=100):
    return RiskView.of_exit(NOW, position=position, exits_working=0, trading_state=ACTIVE, operator_flatten=False)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in EXIT_RULES])
@pytest.mark.parametrize("quantity", [0, 1, 100, 10**9])
def test_a_rule_that_exits_are_not_asked_of_has_nothing_against_one_that_knows_nothing_else(rule, quantity):
    exit_ = an_exit(quantity=quantity)
    lost = a_view(price=math.nan, equity=None, is_locked=True, is_halted=True, is_self_trade=None)
    found = [RULES[rule](exit_, view, limits()) for view in (what_an_exit_knows(), a_view(), lost)]
    assert found == [None, None, None]


@pytest.mark.parametrize(
    ("quantity", "position", "approved"), [(100, 100, 100), (100, 60, 60), (100, -100, 0), (0, 100, 0)]
)
def test_the_gate_judges_an_exit_from_its_own_view_as_from_the_whole_one(quantity, position, approved):
    exit_ = an_exit(quantity=quantity)
    verdicts = {judge(exit_, view, limits()) for view in (what_an_exit_knows(position), a_view(position=position))}
    assert [verdict.approved_quantity for verdict in verdicts] == [approved]


def test_what_an_exit_knows_lets_no_entry_pass():
    assert judge(an_entry(), what_an_exit_knows(), limits()).approved_quantity == 0
