"""The gate as a whole: every breach, the smallest quantity, closed where anything is missing."""

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.checks import RULES
from risk.gate import judge
from risk.trading_state import TradingState
from risk.view import RiskView
from shared.messages import decode_as, encode
from shared.orders import OrderIntent, RiskVerdict, Side
from tests.risk.builders import NOW, a_view, an_entry, an_exit, limits

BEYOND_THE_GATE = {
    "price_jump_pct_max",
    "protect_within_s",
    "max_day_loss",
    "max_week_loss",
    "max_drawdown_pct",
    "max_strategy_day_loss",
    "max_instrument_day_loss",
    "max_day_slippage",
    "max_losses_in_a_row",
    "max_rejects_in_a_row",
    "max_unknown_orders",
    "entry_window_s",
    "duplicate_window_s",
    "max_account_drift_pct",
    "allow_short",
}

maybe_money = st.none() | st.floats(allow_nan=True, allow_infinity=True)
quantities = st.integers(-3_000, 3_000)
counts = st.integers(0, 3_000)
shares = st.sampled_from([0.0, 100.0, 850.5, 1_200.0])
instants = st.none() | st.timedeltas(timedelta(days=-1), timedelta(days=1)).map(lambda ago: NOW + ago)

intents = st.builds(
    OrderIntent,
    strategy=st.just("sma"),
    symbol=st.just("SPY"),
    side=st.sampled_from(Side),
    quantity=st.integers(1, 5_000),
    reduces=st.booleans(),
    reason=st.just("any"),
)
views = st.builds(
    RiskView,
    now=st.just(NOW),
    row_at=instants,
    price=maybe_money,
    price_at=instants,
    reference_price=maybe_money,
    price_is_suspect=st.booleans(),
    equity=maybe_money,
    position=quantities,
    held_long=shares,
    held_short=shares,
    working_buy=counts,
    working_sell=counts,
    exits_working=counts,
    gross_exposure=maybe_money,
    opens_at=instants,
    closes_at=instants,
    entry_after_open_s=st.just(60.0),
    entry_before_close_s=st.just(900.0),
    trading_state=st.sampled_from(TradingState),
    is_reconciled=st.booleans(),
    has_unknown=st.booleans(),
    is_locked=st.booleans(),
    account_at=instants,
    buying_power=maybe_money,
    working_notional=maybe_money,
    net_long=maybe_money,
    net_short=maybe_money,
    beta=maybe_money,
    beta_long=maybe_money,
    beta_short=maybe_money,
    groups=st.just(()),
    unpriced=st.sampled_from([(), ("IBM",)]),
    holdings=st.none(),
    bid=maybe_money,
    ask=maybe_money,
    is_halted=st.booleans(),
    data_quality=st.sampled_from(["live", "delayed", "silent"]),
    quiet_reason=st.none() | st.just("daily restart"),
    sent_last_s=st.none() | counts,
    sent_last_min=st.none() | counts,
    sent_today=st.none() | counts,
    is_duplicate=st.none() | st.booleans(),
    entries_in_window=st.none() | counts,
    is_self_trade=st.none() | st.booleans(),
    operator_flatten=st.booleans(),
)


def _worst_case(view: RiskView, *, buys: int = 0, sells: int = 0, exits: int = 0) -> int:
    """The largest position, long or short, over every combination of fills that is possible.

    Stop and exits of a position share one OCA group: together they close what the larger of them is worth.
    """
    closing_side = -1 if view.position > 0 else 1
    exits += view.exits_working
    return max(
        abs(view.position + closing_side * closed + bought - sold)
        for closed in (0, exits, abs(view.position))
        for bought in (0, view.working_buy + buys)
        for sold in (0, view.working_sell + sells)
    )


@given(intents, views)
def test_in_reducing_the_worst_case_never_grows(intent, view):
    reducing = _in_state(view, TradingState.REDUCING)
    approved = judge(intent, reducing, limits()).approved_quantity
    if intent.reduces and intent.side.sign * view.position < 0:
        after = _worst_case(view, exits=approved)
    elif intent.side is Side.BUY:
        after = _worst_case(view, buys=approved)
    else:
        after = _worst_case(view, sells=approved)
    assert after <= _worst_case(view)


@given(views)
def test_in_reducing_a_flat_book_stays_flat(view):
    flat = RiskView(**(_fields(view) | {"position": 0, "trading_state": TradingState.REDUCING}))
    for_each_kind = (an_entry(), an_entry(side=Side.SELL), an_exit(), an_exit(side=Side.BUY))
    assert [judge(intent, flat, limits()).approved_quantity for intent in for_each_kind] == [0, 0, 0, 0]


@given(intents, views)
def test_the_verdict_never_exceeds_the_intent(intent, view):
    verdict = judge(intent, view, limits())
    assert 0 <= verdict.approved_quantity <= intent.quantity
    assert (verdict.approved_quantity == intent.quantity) == (verdict.breaches == ())


@given(intents, views)
def test_an_exit_never_turns_the_position(intent, view):
    approved = judge(intent, view, limits()).approved_quantity
    if intent.reduces and approved:
        after = view.position + intent.side.sign * (approved + view.exits_working)
        assert after == 0 or (after > 0) == (view.position > 0)


@given(intents, views)
def test_the_approved_part_is_approved_whole(intent, view):
    approved = judge(intent, view, limits()).approved_quantity
    if approved:
        again = an_entry(side=intent.side, reduces=intent.reduces, quantity=approved)
        assert judge(again, view, limits()).approved_quantity == approved


@given(intents, views)
def test_an_approved_entry_keeps_every_limit(intent, view):
    approved = judge(intent, view, limits()).approved_quantity
    if approved and not intent.reduces:
        held = view.held_long if intent.side is Side.BUY else view.held_short
        held += view.working_buy if intent.side is Side.BUY else view.working_sell
        assert approved <= 500
        assert approved * view.price <= 60_000 * (1 + 1e-9)
        assert held + approved <= 1_000
        assert (held + approved) * view.price <= 120_000 * (1 + 1e-9)
        assert view.gross_exposure + approved * view.price <= view.equity * (1 + 1e-9)


@pytest.mark.parametrize(
    "missing", ["price", "price_at", "reference_price", "equity", "gross_exposure", "opens_at", "closes_at"]
)
def test_whatever_is_missing_refuses_the_entry(missing):
    assert judge(an_entry(), a_view(**{missing: None}), limits()).outcome == "refused"


@pytest.mark.parametrize("field", ["price", "reference_price", "equity", "gross_exposure"])
def test_whatever_is_not_a_number_refuses_the_entry(field):
    assert judge(an_entry(), a_view(**{field: math.nan}), limits()).outcome == "refused"


@pytest.mark.parametrize("limit", [name for name in limits().__struct_fields__ if name not in BEYOND_THE_GATE])
def test_a_limit_that_is_no_number_lets_nothing_pass(limit):
    assert judge(an_entry(), a_view(), limits(**{limit: math.nan})).approved_quantity == 0


def test_every_breach_is_told_in_the_order_of_the_rules():
    view = a_view(is_locked=True, equity=None, price_is_suspect=True, trading_state=TradingState.HALTED)
    verdict = judge(an_entry(quantity=600), view, limits())
    assert [breach.rule for breach in verdict.breaches] == [
        "trading_state",
        "instrument_lock",
        "account_known",
        "price_unreasonable",
        "order_quantity_max",
    ]
    assert verdict.approved_quantity == 0


def test_the_smallest_room_decides():
    # order 500, order notional 600 at 100, position 1,000 - 850 = 150, position notional 1,200 - 850 = 350
    verdict = judge(an_entry(quantity=550), a_view(position=850), limits())
    assert (verdict.approved_quantity, verdict.outcome) == (150, "reduced")


def test_with_nothing_known_an_exit_still_passes():
    view = a_view(
        price=None,
        price_at=None,
        reference_price=None,
        equity=None,
        gross_exposure=None,
        opens_at=None,
        closes_at=None,
        position=100,
        is_reconciled=False,
        has_unknown=True,
        is_locked=True,
        trading_state=TradingState.REDUCING,
    )
    assert judge(an_exit(), view, limits()).outcome == "approved"


def test_an_operators_flatten_passes_in_halted_but_does_not_overshoot():
    view = a_view(position=-60, trading_state=TradingState.HALTED, operator_flatten=True)
    assert judge(an_exit(side=Side.BUY), view, limits()).approved_quantity == 60


def test_a_breach_says_the_value_and_the_limit():
    (breach,) = judge(
        an_entry(quantity=600), a_view(price=90.0, reference_price=90.0, bid=None, ask=None), limits()
    ).breaches
    assert (breach.value, breach.limit, breach.allowed) == (600.0, 500.0, 500)
    assert breach.text == "an order of 600, at most 500"


@given(intents, views)
def test_a_verdict_survives_the_journal(intent, view):
    verdict = judge(intent, view, limits())
    assert decode_as(encode(verdict), RiskVerdict) == verdict


def test_the_gate_asks_every_rule():
    view = a_view(
        trading_state=TradingState.OBSERVE,
        is_reconciled=False,
        has_unknown=True,
        is_locked=True,
        equity=None,
        opens_at=None,
        price=None,
        price_at=None,
        price_is_suspect=True,
        account_at=None,
        quiet_reason="daily restart",
        unpriced=("IBM",),
        is_halted=True,
        data_quality="delayed",
        bid=101.0,
        ask=100.0,
        sent_last_s=9,
        is_duplicate=True,
        entries_in_window=9,
        is_self_trade=True,
    )
    tight = limits(
        max_day_loss=1.0,
        max_net_exposure=0.1,
        max_beta_exposure=0.1,
        max_group_exposure=0.1,
        max_buying_power_use_pct=1.0,
        max_var_pct=0.1,
        max_cvar_pct=0.1,
        max_orders_per_s=9,
        max_entries_in_window=9,
        duplicate_window_s=5.0,
        allow_short=False,
    )
    refused = {breach.rule for breach in judge(an_entry(), view, tight).breaches}
    far = {breach.rule for breach in judge(an_entry(quantity=9_999), a_view(price=200.0), tight).breaches}
    far |= {breach.rule for breach in judge(an_entry(side=Side.SELL), a_view(), tight).breaches}
    exit_ = {breach.rule for breach in judge(an_exit(), a_view(), limits()).breaches}
    assert refused | far | exit_ == set(RULES)


def _in_state(view: RiskView, state: TradingState) -> RiskView:
    return RiskView(**(_fields(view) | {"trading_state": state}))


def _fields(view: RiskView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.__struct_fields__}
