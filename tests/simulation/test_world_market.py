"""The simulated market is watched without being taken out of the faults' hands."""

from brokers.simulated.gateway.faults.disturbed_market import DisturbedMarket
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, STEP_S, ScriptedMarket, flat
from tests.simulation.world.watched_market import WatchedMarket


def a_watched_market(traded_at):
    return WatchedMarket(DisturbedMarket(ScriptedMarket([flat(100.0)] * 3), lambda _day: None), traded_at)


def test_a_fault_can_move_the_price_of_the_watched_market():
    market = a_watched_market({})
    market.move("SPY", 0.5)
    assert isinstance(market, DisturbedMarket)
    assert [float(step.close[0]) for step in market.steps()] == [50.0, 50.0, 50.0]


def test_it_is_known_when_the_last_trade_was():
    traded_at: dict[int, float] = {}
    market = a_watched_market(traded_at)
    list(market.steps())
    assert traded_at == {0: OPENS_AT + 3 * STEP_S, 1: OPENS_AT + 3 * STEP_S}
