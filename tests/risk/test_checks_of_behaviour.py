"""Rules about when and how often: account age, quiet windows, halts, data, quotes, rates, repetitions, shorts."""

import math
from datetime import timedelta

import pytest

from shared.orders import Side
from tests.risk.builders import NOW, allowed, an_entry, an_exit


def test_account_stale():
    limit = {"account_age_max_s": 300.0}
    fresh, old = NOW - timedelta(seconds=300), NOW - timedelta(seconds=301)
    assert allowed("account_stale", an_entry(), within=limit, account_at=fresh) is None
    assert allowed("account_stale", an_entry(), within=limit, account_at=old) == 0
    assert allowed("account_stale", an_entry(), within=limit, account_at=None) == 0
    assert allowed("account_stale", an_exit(), within=limit, account_at=None) is None


@pytest.mark.parametrize("limit", ["max_day_loss", "max_strategy_day_loss", "max_instrument_day_loss"])
def test_loss_known(limit):
    assert allowed("loss_known", an_entry(), within={limit: 1000.0}, unpriced=()) is None
    assert allowed("loss_known", an_entry(), within={limit: 1000.0}, unpriced=("IBM",)) == 0
    assert allowed("loss_known", an_exit(), within={limit: 1000.0}, unpriced=("IBM",)) is None
    assert allowed("loss_known", an_entry(), unpriced=("IBM",)) is None  # no day's loss is limited


def test_quiet_window():
    assert allowed("quiet_window", an_entry(), quiet_reason=None) is None
    assert allowed("quiet_window", an_entry(), quiet_reason="daily restart") == 0
    assert allowed("quiet_window", an_exit(), quiet_reason="daily restart") is None


def test_halted():
    assert allowed("halted", an_entry(), is_halted=False) is None
    assert allowed("halted", an_entry(), is_halted=True) == 0
    assert allowed("halted", an_exit(), is_halted=True) is None


@pytest.mark.parametrize("quality", ["delayed", "frozen", "competing", "silent", "never heard of"])
def test_data_quality(quality):
    assert allowed("data_quality", an_entry(), data_quality="live") is None
    assert allowed("data_quality", an_entry(), data_quality=quality) == 0
    assert allowed("data_quality", an_exit(), data_quality=quality) is None


def test_quote_sane():
    assert allowed("quote_sane", an_entry(), bid=99.99, ask=100.01) is None
    assert allowed("quote_sane", an_entry(), bid=100.00, ask=100.00) is None  # locked is not crossed
    assert allowed("quote_sane", an_entry(), bid=100.02, ask=100.01) == 0
    assert allowed("quote_sane", an_exit(), bid=100.02, ask=100.01) is None
    assert allowed("quote_sane", an_entry(), bid=None, ask=None) is None  # no quotes are streamed


@pytest.mark.parametrize("nothing", [math.nan, -1.0, 0.0])
def test_the_side_that_is_taken_must_be_shown(nothing):
    assert allowed("quote_sane", an_entry(), bid=99.99, ask=nothing) == 0
    assert allowed("quote_sane", an_entry(), bid=nothing, ask=100.01) is None
    assert allowed("quote_sane", an_entry(side=Side.SELL), bid=nothing, ask=100.01) == 0


def test_a_quote_far_from_the_last_bar_is_not_traded_on():
    # The collar is 5 %: a middle of 95.3 is 4.9 % below 100, one of 95.2 is more than 5 % of itself away.
    assert allowed("quote_sane", an_entry(), bid=95.25, ask=95.35) is None
    assert allowed("quote_sane", an_entry(), bid=95.15, ask=95.25) == 0


def test_order_rate():
    each = {"max_orders_per_s": 2, "max_orders_per_min": 10, "max_orders_per_day": 100}
    assert allowed("order_rate", an_entry(), within=each, sent_last_s=1, sent_last_min=9, sent_today=99) is None
    assert allowed("order_rate", an_entry(), within=each, sent_last_s=2) == 0
    assert allowed("order_rate", an_entry(), within=each, sent_last_min=10) == 0
    assert allowed("order_rate", an_entry(), within=each, sent_today=100) == 0
    assert allowed("order_rate", an_entry(), within=each, sent_today=None) == 0
    assert allowed("order_rate", an_exit(), within=each, sent_last_s=99) is None
    assert allowed("order_rate", an_entry(), sent_last_s=99) is None  # openly lifted


def test_duplicate_order():
    window = {"duplicate_window_s": 5.0}
    assert allowed("duplicate_order", an_entry(), within=window, is_duplicate=False) is None
    assert allowed("duplicate_order", an_entry(), within=window, is_duplicate=True) == 0
    assert allowed("duplicate_order", an_entry(), within=window, is_duplicate=None) == 0
    assert allowed("duplicate_order", an_exit(), within=window, is_duplicate=True) is None
    assert allowed("duplicate_order", an_entry(), is_duplicate=True) is None  # a window of 0 s


def test_repeated_execution():
    most = {"max_entries_in_window": 3}
    assert allowed("repeated_execution", an_entry(), within=most, entries_in_window=2) is None
    assert allowed("repeated_execution", an_entry(), within=most, entries_in_window=3) == 0
    assert allowed("repeated_execution", an_entry(), within=most, entries_in_window=None) == 0
    assert allowed("repeated_execution", an_exit(), within=most, entries_in_window=3) is None
    assert allowed("repeated_execution", an_entry(), entries_in_window=99) is None


def test_self_trade():
    assert allowed("self_trade", an_entry(), is_self_trade=False) is None
    assert allowed("self_trade", an_entry(), is_self_trade=True) == 0
    assert allowed("self_trade", an_entry(), is_self_trade=None) == 0
    assert allowed("self_trade", an_exit(), is_self_trade=True) is None


def test_short_allowed():
    no = {"allow_short": False}
    sell = an_entry(side=Side.SELL)
    assert allowed("short_allowed", sell, within=no, position=100) is None
    assert allowed("short_allowed", sell, within=no, position=60) == 60
    assert allowed("short_allowed", sell, within=no, position=100, working_sell=70) == 30
    assert allowed("short_allowed", sell, within=no, position=-5) == 0
    assert allowed("short_allowed", sell, position=0) is None
    assert allowed("short_allowed", an_entry(), within=no) is None


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ("order_rate", {"sent_last_s": None, "sent_last_min": None, "sent_today": None}),
        ("repeated_execution", {"entries_in_window": None}),
        ("loss_known", {"unpriced": ("IBM",)}),
        ("beta_exposure_max", {"beta": None, "beta_long": None, "beta_short": None}),
        ("group_exposure_max", {"groups": ()}),
    ],
)
def test_a_rule_whose_limit_is_lifted_asks_for_no_fact(rule, facts):
    assert allowed(rule, an_entry(), **facts) is None
