"""That each safeguard before an entry bites: with it the engine's commands are right, without it they are wrong.

The engine alone, no weather: shares that one row lets leave as entries, by hand.
"""

import numpy as np
import pytest
from msgspec.structs import replace

from shared.commands import PlaceBracket
from shared.events import DataQualityReported, OperatorCommanded, OrderUnknown
from shared.market import QuoteRow
from tests.engine.builders import (
    ENTRY,
    a_desk,
    a_report,
    a_start,
    a_started,
    a_universe,
    an_engine,
    an_engine_that_asked,
    at,
    bars,
    connected,
    disconnected,
    handle_all,
    of_kind,
    says,
    some_limits,
    some_settings,
)
from tests.simulation.safeguards.safeguard import switched_off
from tests.simulation.safeguards.table import safeguard_of


def limited(**limits):
    return an_engine(settings=some_settings(some_limits(**limits)))


def entered(engine, *events, **views):
    """Shares of the entries that leave while the strategy says these views (SPY=1.0 by default)."""
    says(engine, **(views or {"SPY": 1.0}))
    commands = handle_all(engine, events or [bars(60, SPY=100.0, IBM=185.0)])
    return [command.bracket.entry.quantity for command in of_kind(commands, PlaceBracket)]


def command(verb, seconds=30, scope="account"):
    return OperatorCommanded(received_at=at(seconds), verb=verb, scope=scope, actor="a test")


# --- scenes: each gives the shares that leave ------------------------------------------------------------------------


def connected_but_not_compared():
    engine = an_engine()
    handle_all(engine, [*a_start(), disconnected(20), connected(30)])
    return entered(engine)


def an_order_of_unknown_fate():
    """IBM's row says a view for the first time; its earlier entry has no answer any more."""
    engine = an_engine_that_asked()
    engine.handle(OrderUnknown(received_at=at(61), ref=ENTRY, reason="no answer"))
    engine.book.set_target("s", "SPY", 600, "more of it")
    return entered(engine, bars(120, SPY=100.0), SPY=1.0)


def halted_by_a_person():
    engine = a_started()
    engine.handle(command("halt"))
    return entered(engine)


def before_the_open():
    engine = a_started()
    return entered(engine, bars(-120, SPY=100.0, IBM=185.0))


def locked_by_a_break():
    """The broker says 300 IBM that nobody bought; then a view on IBM."""
    engine = a_started()
    handle_all(engine, [a_report(10, positions={"IBM": 300}), a_report(20, positions={"IBM": 300})])
    return entered(engine, IBM=1.0)


def two_minutes_after_the_last_print():
    """SPY printed at 60 s, the row that decides comes at 300 s and has only IBM in it."""
    engine = limited(price_age_max_s=150.0)
    a_started(engine)
    engine.handle(bars(60, SPY=100.0, IBM=185.0))
    engine.book.set_target("s", "SPY", 500, "a view of before")
    return entered(engine, bars(300, IBM=185.0), IBM=0.0)


def while_the_streams_are_silent():
    engine = a_started()
    engine.handle(DataQualityReported(received_at=at(50), symbol="SPY", quality="silent", reason="no bars"))
    return entered(engine)


def on_a_crossed_quote():
    quotes = QuoteRow(bid=np.array([100.4, 184.9]), ask=np.array([100.2, 185.1]))
    return entered(a_started(), replace(bars(60, SPY=100.0, IBM=185.0), quotes=quotes))


def on_a_print_ten_times_the_price():
    """100, then a print of 1,000 in a market that stands at 100."""
    engine = a_started()
    engine.handle(bars(60, SPY=100.0, IBM=185.0))
    return entered(engine, bars(120, SPY=1000.0, IBM=185.0))


def five_percent_from_the_last_good_price():
    """The limit is 5 % off: beyond the collar of 3 %."""
    engine = an_engine(settings=some_settings(some_limits(), entry="limit", limit_offset_bps=500.0))
    return entered(a_started(engine))


def two_within_a_second():
    engine = limited(max_orders_per_s=1)
    return entered(a_started(engine), SPY=1.0, IBM=1.0)


def more_than_one_order_may_be():
    return entered(a_started(limited(max_order_quantity=300)))


def more_than_a_position_may_be():
    return entered(a_started(limited(max_position_quantity=400)))


def more_than_the_account_may_carry():
    """A tenth of the fraction it wants: 1 % of a million is 100 shares at 100."""
    return entered(a_started(limited(max_gross_exposure=0.01)))


def beside_what_is_in_flight():
    """Two strategies of 500 shares each, a position may be 700: the second gets what the first has left."""
    universe = a_universe()
    desks = [a_desk(universe, "s"), a_desk(universe, "t")]
    engine = a_started(an_engine(desks=desks, settings=some_settings(some_limits(max_position_quantity=700))))
    says(engine, "t", SPY=1.0)
    return entered(engine)


def after_a_limit_has_tripped():
    engine = a_started()
    engine.book.breakers.trip("account", "max_day_loss", "REDUCING", "lost", at(50))
    return entered(engine)


def with_a_part_of_the_report_missing():
    engine = an_engine()
    handle_all(engine, [*a_start()[:-1], a_report(1, unanswered=["open_orders"])])
    engine.book.take_account(a_report(1).account, at(1))
    return entered(engine)


def after_an_answer_of_the_line_before():
    engine = a_started()
    handle_all(engine, [disconnected(20), connected(30), a_report(31, asked=10)])
    return entered(engine)


SCENES = [
    ("reconciled_before_entries", connected_but_not_compared, [], [500]),
    ("unknown_orders_block_entries", an_order_of_unknown_fate, [], [100]),
    ("halt_blocks_entries", halted_by_a_person, [], [500]),
    ("entry_window", before_the_open, [], [500]),
    ("instrument_lock", locked_by_a_break, [], [270]),
    ("fresh_data", two_minutes_after_the_last_print, [], [500]),
    ("fresh_data", while_the_streams_are_silent, [], [500]),
    ("sane_quotes", on_a_crossed_quote, [], [500]),
    ("believable_prices", on_a_print_ten_times_the_price, [], [50]),
    ("price_collar", five_percent_from_the_last_good_price, [], [500]),
    ("order_rate", two_within_a_second, [500], [500, 270]),
    ("order_size", more_than_one_order_may_be, [300], [500]),
    ("position_size", more_than_a_position_may_be, [400], [500]),
    ("gross_exposure", more_than_the_account_may_carry, [100], [500]),
    ("working_orders_count", beside_what_is_in_flight, [500, 200], [500, 500]),
    ("latches_hold", after_a_limit_has_tripped, [], [500]),
    ("complete_report", with_a_part_of_the_report_missing, [], [500]),
    ("report_of_this_connection", after_an_answer_of_the_line_before, [], [500]),
]


@pytest.mark.parametrize(("name", "scene", "shares", "_"), SCENES)
def test_with_the_safeguard_only_what_is_right_leaves(name, scene, shares, _):
    assert scene() == shares, name


@pytest.mark.parametrize(("name", "scene", "_", "shares"), SCENES)
def test_without_it_what_is_wrong_leaves(name, scene, _, shares):
    with switched_off(safeguard_of(name)):
        assert scene() == shares
