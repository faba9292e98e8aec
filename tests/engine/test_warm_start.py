"""What the strategies remember is exchanged, what is held and ordered is not, and never for something older."""

from datetime import date

from daemon.engine.assembly import build_engine
from shared.commands import Notify
from shared.events import PricesRescaled, StrategiesWarmed
from tests.runtime.builders import a_config, a_morning, at, bars

PRICES = [165.0, 164.0, 163.0, 164.0, 166.0, 167.0]


def shown(config, minutes):
    """An engine that has seen so many rows, and nothing else."""
    engine = build_engine(config)
    for minute in range(1, minutes + 1):
        engine.handle(bars(minute, PRICES[minute - 1], warm_up=True))
    return engine


def warmed(engine, minutes):
    return StrategiesWarmed(received_at=at(60 * minutes), closed_at=at(60 * minutes), state=engine.snapshot())


def test_a_fresh_engine_goes_on_as_one_that_has_seen_all_rows(tmp_path):
    config = a_config(tmp_path)
    fresh = build_engine(config)
    (notice,) = fresh.handle(warmed(shown(config, 5), 5))
    assert isinstance(notice, Notify)
    assert notice.text == "strategies go on from the stored bars up to 2013-10-08 13:35 UTC"
    fresh.handle(bars(6, 167.0, warm_up=True))
    seen = shown(config, 6)
    assert fresh.desks["sma"].snapshot() == seen.desks["sma"].snapshot()
    assert fresh.book.prices.last.tolist() == seen.book.prices.last.tolist()


def test_a_state_that_is_older_than_what_was_seen_changes_nothing(tmp_path):
    config = a_config(tmp_path)
    engine = shown(config, 6)
    before = engine.snapshot()
    assert engine.handle(warmed(shown(config, 5), 5)) == []
    assert engine.snapshot() == before


def test_a_state_of_before_a_split_that_was_told_is_refused_and_the_desk_goes_on(tmp_path):
    config = a_config(tmp_path)
    engine = shown(config, 5)
    split = PricesRescaled(received_at=at(301), symbol="SPY", ratio=2.0, ex_date=date(2013, 10, 9))
    engine.handle(split)
    before = engine.desks["sma"].snapshot()
    (notice,) = engine.handle(warmed(shown(config, 5), 5))
    assert isinstance(notice, Notify)
    assert (notice.level, notice.code) == ("warning", "warm_start_refused")
    assert "end before prices of SPY were rescaled" in notice.text
    assert engine.desks["sma"].snapshot() == before


def test_plans_orders_and_views_stay_what_they_are(tmp_path):
    config = a_config(tmp_path)
    engine = build_engine(config)
    for event in a_morning():
        engine.handle(event)
    before = [engine.book.plans, engine.book.orders, engine.book.targets, engine.book.convictions]
    told = [str(each) for each in before]
    commands = engine.handle(warmed(engine_of_today(config), 9))
    (notice,) = commands
    assert isinstance(notice, Notify)
    assert notice.code == "warm_start_taken"
    assert [str(each) for each in before] == told
    assert engine.book.plans


def engine_of_today(config):
    """One that has seen the rows of `a_morning` alone."""
    engine = build_engine(config)
    for event in a_morning():
        if type(event).__name__ == "BarsClosed":
            engine.handle(event)
    return engine
