"""Rules about the whole account. Reference: sums by hand; the tail's numbers from numpy and scipy in test_portfolio."""

import math
from typing import Any

import numpy as np
import pytest

from risk.portfolio import Holdings
from risk.view import GroupExposure
from shared.orders import Side
from tests.risk.builders import allowed, an_entry, an_exit

SELL = an_entry(side=Side.SELL)


def test_net_exposure_max():
    # A million of equity, half of it: 490,000 is taken, room for 100 shares at 100.
    half = {"max_net_exposure": 0.5}
    assert allowed("net_exposure_max", an_entry(), within=half, net_long=490_000.0) is None
    assert allowed("net_exposure_max", an_entry(), within=half, net_long=490_100.0) == 99
    assert allowed("net_exposure_max", SELL, within=half, net_long=490_100.0, net_short=-490_100.0) is None
    assert allowed("net_exposure_max", SELL, within=half, net_short=500_000.0) == 0
    assert allowed("net_exposure_max", an_exit(), within=half, net_long=9e9) is None
    assert allowed("net_exposure_max", an_entry(), net_long=9e9) is None  # openly lifted


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf])
def test_an_exposure_that_is_not_known_is_too_much(unknown):
    assert allowed("net_exposure_max", an_entry(), within={"max_net_exposure": 0.5}, net_long=unknown) == 0


def test_beta_exposure_max():
    # A beta of 2 doubles the weight: room for 10,000 of beta exposure is 50 shares at 100.
    once = {"max_beta_exposure": 1.0}
    assert allowed("beta_exposure_max", an_entry(), within=once, beta=2.0, beta_long=980_000.0) is None
    assert allowed("beta_exposure_max", an_entry(), within=once, beta=2.0, beta_long=990_000.0) == 50
    assert allowed("beta_exposure_max", an_entry(), within=once, beta=-1.0, beta_long=9e9, beta_short=0.0) is None
    assert allowed("beta_exposure_max", an_entry(), within=once, beta=-1.0, beta_short=1e6) == 0
    assert allowed("beta_exposure_max", an_entry(), within=once, beta=0.0, beta_long=0.0) is None
    assert allowed("beta_exposure_max", an_entry(), within=once, beta=None) == 0
    assert allowed("beta_exposure_max", an_exit(), within=once, beta=None) is None


def test_group_exposure_max():
    tenth = {"max_group_exposure": 0.1}
    tech, index = GroupExposure(name="tech", gross=95_000.0), GroupExposure(name="index", gross=0.0)
    assert allowed("group_exposure_max", an_entry(), within=tenth, groups=(index,)) is None
    assert allowed("group_exposure_max", an_entry(), within=tenth, groups=(index, tech)) == 50
    assert allowed("group_exposure_max", an_entry(), within=tenth, groups=()) == 0
    assert allowed("group_exposure_max", an_exit(), within=tenth, groups=()) is None
    assert allowed("group_exposure_max", an_entry(), groups=()) is None


def test_buying_power_max():
    # 90 % of 100,000 is 90,000; 85,000 are being spent: 50 shares at 100.
    ninety = {"max_buying_power_use_pct": 90.0}
    power = {"buying_power": 100_000.0}
    assert allowed("buying_power_max", an_entry(), within=ninety, **power, working_notional=80_000.0) is None
    assert allowed("buying_power_max", an_entry(), within=ninety, **power, working_notional=85_000.0) == 50
    assert allowed("buying_power_max", an_entry(), within=ninety, buying_power=None) == 0
    assert allowed("buying_power_max", an_entry(), within=ninety, buying_power=math.nan) == 0
    assert allowed("buying_power_max", an_exit(), within=ninety, buying_power=None) is None
    assert allowed("buying_power_max", an_entry(), buying_power=None) is None


def some_holdings(value=0.0, **changes):
    """Up and down by 1 % in turn: the historical VaR of 1,000,000 is 10,000, the normal one a good 23,000."""
    usual: dict[str, Any] = {
        "values": np.array([value]),
        "returns": np.array([[0.01], [-0.01]] * 50),
        "per_day": 1.0,
        "column": 0,
    }
    return Holdings(**(usual | changes))


def test_var_max():
    # 100 shares at 100 are 10,000: 2.3263 x 1.00504 % of it is 233.81, of a million of equity 0.0234 %.
    assert allowed("var_max", an_entry(), within={"max_var_pct": 0.0234}, holdings=some_holdings()) is None
    assert allowed("var_max", an_entry(), within={"max_var_pct": 0.0233}, holdings=some_holdings()) == 0
    assert allowed("var_max", an_entry(), within={"max_var_pct": 1.0}, holdings=None) == 0
    assert allowed("var_max", an_exit(), within={"max_var_pct": 0.001}, holdings=None) is None
    assert allowed("var_max", an_entry(), holdings=None) is None


def test_an_entry_that_lowers_the_risk_passes_beyond_the_limit():
    hedge = some_holdings(value=-50_000.0)
    assert allowed("var_max", an_entry(), within={"max_var_pct": 0.01}, holdings=hedge) is None
    assert allowed("var_max", SELL, within={"max_var_pct": 0.01}, holdings=hedge) == 0


def test_cvar_max():
    # phi(2.3263) / 0.01 = 2.6652: 2.6652 x 1.00504 % of 10,000 is 267.87.
    assert allowed("cvar_max", an_entry(), within={"max_cvar_pct": 0.0268}, holdings=some_holdings()) is None
    assert allowed("cvar_max", an_entry(), within={"max_cvar_pct": 0.0267}, holdings=some_holdings()) == 0


@pytest.mark.parametrize("limit", ["max_var_pct", "max_cvar_pct"])
def test_too_short_a_history_refuses(limit):
    rule = limit.removeprefix("max_").removesuffix("_pct") + "_max"
    short = some_holdings(returns=np.array([[0.01]] * 29))
    assert allowed(rule, an_entry(), within={limit: 50.0}, holdings=short) == 0
