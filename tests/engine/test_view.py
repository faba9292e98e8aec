"""The facts behind the gate, through the whole engine: each of them alone stops the usual entry, and says why."""

from datetime import timedelta

import numpy as np
import pytest
from msgspec.structs import replace

from risk.groups import Groups
from shared.account import BrokerPosition
from shared.commands import Notify, PlaceBracket
from shared.events import AccountReported, DataQualityReported, QuietWindow, TradingHalted
from shared.ids import leg_ref
from shared.market import QuoteRow
from shared.orders import Leg, Side
from tests.engine.builders import (
    ENTRY,
    OPEN,
    PLAN,
    a_desk,
    a_fill,
    a_long_engine,
    a_report,
    a_started,
    a_universe,
    accepted,
    an_account,
    an_engine,
    an_engine_at_work,
    at,
    bars,
    cancelled,
    codes,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    says,
    scheduled,
    some_limits,
    some_settings,
)

TECH = Groups(members={"tech": ("SPY", "IBM")}, betas={"SPY": 1.0, "IBM": -2.0})


def an_engine_with(groups=TECH, **limits):
    return an_engine(settings=some_settings(some_limits(**limits), groups=groups))


def entering(engine, symbol="SPY", *, seconds=600, event=None):
    """What one row brings on which the strategy wants that instrument (500 SPY or 270 IBM)."""
    says(engine, **{symbol: 1.0})
    return engine.handle(event or bars(seconds, SPY=100.0, IBM=185.0))


def bought(commands):
    return sum(command.bracket.entry.quantity for command in of_kind(commands, PlaceBracket))


def said(commands):
    return " ".join(command.text for command in of_kind(commands, Notify))


def test_the_usual_entry_goes():
    assert bought(entering(a_started())) == 500


def test_an_instrument_that_the_exchange_paused_is_not_entered_until_it_opens_again():
    engine = a_started()
    engine.handle(TradingHalted(received_at=at(500), symbol="SPY", code=2))
    assert "the exchange has paused SPY" in said(entering(engine))
    engine.handle(TradingHalted(received_at=at(610), symbol="SPY", code=0))
    assert bought(entering(engine, seconds=660)) == 500


@pytest.mark.parametrize("quality", ["delayed", "frozen", "competing", "silent"])
@pytest.mark.parametrize("whose", ["SPY", ""])
def test_data_that_are_not_live_stop_entries_and_say_so_once(quality, whose):
    engine = a_started()
    report = DataQualityReported(received_at=at(500), symbol=whose, quality=quality, reason="10197")
    assert codes(handle_all(engine, [report, report])) == ["data_quality"]
    assert f"the market data of SPY are {quality}" in said(entering(engine))
    live = DataQualityReported(received_at=at(610), symbol=whose, quality="live", reason="back")
    assert codes(engine.handle(live)) == ["data_quality"]
    assert bought(entering(engine, seconds=660)) == 500


@pytest.mark.parametrize(("gone", "shares"), [("OB1:s:20131008:SPY-1:S", 0), ("OB1:s:20131008:SPY-1:T", 500)])
def test_nothing_is_added_where_a_stop_is_gone_and_nobody_has_said_why(gone, shares):
    """brutal 42112: a split had taken it, another strategy's entry left at the old price before the answer came."""
    universe = a_universe()
    engine = a_long_engine(an_engine(universe=universe, desks=[a_desk(universe), a_desk(universe, "t")]))
    engine.handle(cancelled(gone, seconds=119.9))
    says(engine, "t", SPY=1.0)
    assert bought(engine.handle(bars(120, SPY=100.0, IBM=185.0))) == shares
    engine.handle(fired(f"protect:{PLAN}", 120.9))
    told = a_report(121, positions={"SPY": 500}, open_orders=lines_of(engine))
    handle_all(engine, [told, accepted(leg_ref(PLAN, Leg.PROTECTION, 1), 121.2)])
    assert bought(engine.handle(bars(180, SPY=100.0, IBM=185.0))) == 500 - shares


def test_poor_data_of_another_instrument_stop_nothing():
    engine = a_started()
    engine.handle(DataQualityReported(received_at=at(500), symbol="IBM", quality="silent", reason="2103"))
    assert bought(entering(engine)) == 500


def test_no_entry_while_the_gateway_restarts():
    engine = a_started()
    window = QuietWindow(begins_at=at(590), ends_at=at(660), reason="the gateway restarts")
    engine.handle(replace(scheduled(), quiet=(window,)))
    assert "the gateway restarts" in said(entering(engine))
    assert bought(entering(engine, seconds=660)) == 500


@pytest.mark.parametrize(("bid", "ask", "shares"), [(99.9, 100.1, 500), (100.2, 100.1, 0), (99.9, np.nan, 0)])
def test_a_crossed_quote_or_one_without_the_side_we_take_stops_an_entry(bid, ask, shares):
    quotes = QuoteRow(bid=np.array([bid, 184.9]), ask=np.array([ask, 185.1]))
    event = replace(bars(600, SPY=100.0, IBM=185.0), quotes=quotes)
    assert bought(entering(a_started(), event=event)) == shares


def test_an_instrument_without_a_line_for_quotes_is_entered_by_its_bars():
    quotes = QuoteRow(bid=np.array([-np.inf, 184.9]), ask=np.array([np.inf, 185.1]))
    event = replace(bars(600, SPY=100.0, IBM=185.0), quotes=quotes)
    assert bought(entering(a_started(), event=event)) == 500


def test_account_values_that_are_too_old_stop_entries():
    engine = a_started(an_engine_with(account_age_max_s=300.0))
    assert "the account values are 600 s old" in said(entering(engine))
    engine.handle(AccountReported(received_at=at(610), account=an_account()))
    assert bought(entering(engine, seconds=660)) == 500


def test_buying_power_is_spent_by_working_entries_too():
    # 4 million of it, 3 %: 120,000; 50,000 of SPY work, so that 70,000 are left: all 270 IBM; at 2 % 162.
    assert bought(entering(an_engine_at_work(an_engine_with(max_buying_power_use_pct=3.0)), "IBM")) == 270
    assert bought(entering(an_engine_at_work(an_engine_with(max_buying_power_use_pct=2.0)), "IBM")) == 162


def test_a_group_counts_all_its_members():
    # 50,000 of SPY are held; 7 % of a million leave 20,000 for IBM at 185: 108 shares.
    assert bought(entering(a_long_engine(an_engine_with(max_group_exposure=0.07)), "IBM")) == 108


def test_an_instrument_in_no_group_is_refused_where_groups_are_limited():
    engine = a_started(an_engine_with(Groups(), max_group_exposure=0.5))
    assert "SPY is in no group" in said(entering(engine))


def test_net_exposure_counts_what_works_and_what_is_held_alike():
    engine = an_engine_at_work(an_engine_with(max_net_exposure=0.07))
    engine.handle(filled(a_fill(ENTRY, 200)))
    assert bought(entering(engine, "IBM")) == 108


def test_exposure_is_weighted_by_beta():
    # 50,000 of SPY at beta 1, IBM at beta -2: buying it goes down with the market and takes nothing of the upside;
    # of the downside 40,000 may be taken at twice the weight, 370 a share, beside the 50,000 that stand against it.
    engine = a_long_engine(an_engine_with(max_beta_exposure=0.04))
    assert bought(entering(engine, "IBM")) == 243
    assert "SPY has no beta" in said(entering(a_started(an_engine_with(Groups(), max_beta_exposure=1.0))))


def test_what_others_hold_counts_like_ours_and_nobody_knowing_its_worth_is_too_much():
    foreign = (BrokerPosition(symbol="GLD", quantity=9600, average_cost=100.0),)
    engine = a_started()
    handle_all(engine, [a_report(500 + 3 * n, positions=foreign) for n in range(3)])
    assert bought(entering(engine)) == 400  # 960,000 of a million is taken
    engine = a_started()
    foreign = (BrokerPosition(symbol="GLD", quantity=9600, average_cost=0.0),)
    handle_all(engine, [a_report(500 + 3 * n, positions=foreign) for n in range(3)])
    assert bought(entering(engine)) == 0


def test_a_long_of_one_strategy_and_a_short_of_another_both_count():
    # 500 long and 500 short of SPY at 100 net to nothing, but either stop may leave the other alone.
    universe = a_universe()
    desks = [a_desk(universe, "s"), a_desk(universe, "t")]
    settings = some_settings(some_limits(max_gross_exposure=0.06))
    engine = a_long_engine(an_engine(universe=universe, desks=desks, settings=settings))
    other = a_fill("OB1:t:20131008:SPY-1:E", 500, side=Side.SELL, exec_id="0001.01.02.01", seconds=62)
    engine.handle(filled(other))
    assert engine.book.position("SPY").quantity == 0
    assert bought(entering(engine, "IBM")) == 54  # 10,000 at 185


@pytest.mark.parametrize(("left", "sent"), [(0.0, 500), (0.5, 499), (-0.5, 500)])
def test_the_fraction_of_a_share_that_a_split_has_left_counts_for_the_size_of_a_position(left, sent):
    """brutal 7085: 37.5 shares of after a split were 37 in the book; half a share stayed, and 2,000 came to it."""
    engine = a_started(an_engine_with(max_position_quantity=500))
    engine.handle(a_report(500, positions={"SPY": left}))
    assert bought(entering(engine)) == sent


def test_a_short_of_one_strategy_makes_no_room_for_the_long_of_another():
    """Where they may stand against each other 500 long and 400 short are 100, until the stop of the short closes it."""
    universe = a_universe()
    desks = [a_desk(universe, name) for name in ("s", "t", "u")]
    settings = some_settings(some_limits(max_position_quantity=600), self_trade="allow")
    engine = a_long_engine(an_engine(universe=universe, desks=desks, settings=settings))
    short = a_fill("OB1:t:20131008:SPY-1:E", 400, side=Side.SELL, exec_id="0001.01.02.01", seconds=62)
    engine.handle(filled(short))
    says(engine, "u", SPY=1.0)
    assert bought(engine.handle(bars(600, SPY=100.0, IBM=185.0))) == 100


def warmed_up(engine, rows=40, move=0.01):
    """Rows before the open on which SPY goes up and down by `move` in turn, IBM too."""
    swing = [1.0 + move * (number % 2) for number in range(rows)]
    start = OPEN - timedelta(minutes=rows + 1)
    for number, factor in enumerate(swing):
        row = bars(0, warm_up=True, SPY=100.0 * factor, IBM=185.0 * factor)
        when = start + timedelta(minutes=number)
        engine.handle(replace(row, closed_at=when, received_at=when))
    return a_started(engine)


@pytest.mark.parametrize("limit", ["max_var_pct", "max_cvar_pct"])
def test_the_value_at_risk_of_the_window_stops_an_entry(limit):
    # A per cent a minute is about 20 % a day: some 2.3 (2.7) of that on 5 % of equity is beyond 1 %, within 5 %.
    assert bought(entering(warmed_up(an_engine_with(**{limit: 5.0})))) == 500
    refused = entering(warmed_up(an_engine_with(**{limit: 1.0})))
    assert (bought(refused), "at risk in a day" in said(refused)) == (0, True)


def test_too_short_a_history_refuses_where_the_value_at_risk_is_limited():
    refused = entering(warmed_up(an_engine_with(max_var_pct=50.0), rows=29))
    assert (bought(refused), "not enough history" in said(refused)) == (0, True)


def test_a_short_that_is_not_allowed_is_not_sent():
    engine = a_started(an_engine_with(allow_short=False))
    says(engine, SPY=-1.0)
    refused = engine.handle(bars(600, SPY=100.0, IBM=185.0))
    assert (bought(refused), "allow_short is false" in said(refused)) == (0, True)
