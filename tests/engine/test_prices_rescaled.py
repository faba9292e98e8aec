"""An instrument's prices have another scale from now on: nothing that remembers prices takes it for a move."""

import numpy as np
import pytest

from daemon.engine.returns import Returns
from daemon.engine.settings import ExitPolicy
from shared.events import PricesRescaled
from shared.messages import decode_event, encode
from tests.engine.builders import a_desk, a_row, a_started, a_universe, an_engine, at, bars

HALVED = PricesRescaled(received_at=at(90), symbol="SPY", ratio=2.0)
ATR = ExitPolicy(method="atr", stop=2.0, target=4.0, atr_period=3)


class Watching:
    """A strategy that keeps what it was shown."""

    def __init__(self, desk):
        self.seen = []
        self._shown = desk.strategy.on_row
        desk.strategy.on_row = self.on_row

    def on_row(self, row, closed_at):
        self.seen.append((float(row.close[0]), float(row.volume[0])))
        return self._shown(row, closed_at)


def an_engine_that_is_watched():
    universe = a_universe()
    desk = a_desk(universe, exits=ATR)
    engine = a_started(an_engine(universe=universe, desks=[desk]))
    return engine, desk, Watching(desk)


def test_a_strategy_goes_on_in_the_units_it_knows():
    engine, _, watching = an_engine_that_is_watched()
    engine.handle(bars(60, SPY=100.0, IBM=185.0))
    engine.handle(HALVED)
    engine.handle(bars(120, SPY=50.5, IBM=185.0))
    (before, volume), (after, halved) = watching.seen
    assert (before, after) == (100.0, 101.0)
    assert halved == volume / 2


def test_two_of_them_multiply():
    engine, _, watching = an_engine_that_is_watched()
    for event in (HALVED, PricesRescaled(received_at=at(91), symbol="SPY", ratio=3.0)):
        engine.handle(event)
    engine.handle(bars(120, SPY=20.0, IBM=185.0))
    assert watching.seen[0][0] == 120.0


def test_the_price_after_a_split_is_believed_at_once_and_the_old_scale_is_not():
    engine, _, _ = an_engine_that_is_watched()
    engine.handle(bars(60, SPY=100.0, IBM=185.0))
    engine.handle(HALVED)
    assert engine.book.prices.good_price(0) == 50.0
    engine.handle(bars(120, SPY=51.0, IBM=185.0))
    assert engine.book.prices.good_price(0) == 51.0
    engine.handle(bars(180, SPY=102.0, IBM=185.0))  # a bad print of before
    assert engine.book.prices.good_price(0) == 51.0


def test_ranges_are_told_in_the_units_of_the_market():
    engine, desk, _ = an_engine_that_is_watched()
    for minute in range(1, 6):
        engine.handle(bars(60 * minute, SPY=(100.0, 101.0, 99.0, 100.0), IBM=185.0))
    before = desk._atr("SPY", 3)
    engine.handle(HALVED)
    engine.handle(bars(420, SPY=(50.0, 50.5, 49.5, 50.0), IBM=185.0))
    assert before == pytest.approx(2.0)
    assert desk._atr("SPY", 3) == pytest.approx(1.0)


def test_it_is_no_return():
    returns = Returns.empty(2)
    returns.update(np.array([100.0, 185.0]))
    returns.rescale(0, 2.0)
    returns.update(np.array([50.5, 185.0]))
    assert returns.matrix()[-1].tolist() == pytest.approx([0.01, 0.0])


def test_it_outlives_a_restart():
    universe = a_universe()
    desk, again = a_desk(universe), a_desk(universe)
    desk.rescale("SPY", 2.0)
    again.restore(desk.snapshot())
    watching = Watching(again)
    again.on_row(a_row(SPY=50.5, IBM=185.0), at(120))
    assert watching.seen[0][0] == 101.0


def test_a_desk_without_the_instrument_is_left_alone():
    desk = a_desk(a_universe(), symbols=("IBM",))
    watching = Watching(desk)
    desk.rescale("SPY", 2.0)
    desk.on_row(a_row(SPY=50.0, IBM=185.0), at(60))
    assert watching.seen[0][0] == 185.0


def test_it_is_journalled_as_it_is():
    again = decode_event(encode(HALVED))
    assert isinstance(again, PricesRescaled)
    assert (again.symbol, again.ratio, again.received_at) == ("SPY", 2.0, at(90))
