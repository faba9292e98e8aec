import pytest

from shared.errors import ConfigError
from strategies.cross_momentum import CrossMomentum
from tests.strategies.rows import a_row, a_universe, said

NAN = float("nan")


def a_ranking(*symbols, **params):
    return CrossMomentum(a_universe(*symbols), **{"lookback": 1, "rebalance_every": 1, "top": 1, **params})


def test_the_best_is_held_and_the_others_are_let_go_first():
    rows = [a_row(10, 10, 10), a_row(11, 13, 12)]
    assert said(a_ranking("A", "B", "C", top=2), rows)[1] == [("A", 0.0), ("B", 1.0), ("C", 1.0)]


def test_it_speaks_only_on_every_nth_row():
    rows = [a_row(10, 10), a_row(11, 10), a_row(10, 11), a_row(11, 10), a_row(9, 9)]
    spoken = said(a_ranking("A", "B", rebalance_every=2), rows)
    assert spoken == [[], [("B", 0.0), ("A", 1.0)], [], [("B", 0.0), ("A", 1.0)], []]


def test_ties_go_to_the_earlier_instrument_of_the_universe():
    rows = [a_row(10, 20, 30), a_row(11, 22, 33)]
    assert ("A", 1.0) in said(a_ranking("A", "B", "C"), rows)[1]
    assert ("C", 1.0) in said(a_ranking("C", "B", "A"), rows)[1]


def test_an_instrument_that_is_not_warm_is_neither_ranked_nor_mentioned():
    assert said(a_ranking("A", "B"), [a_row(10, NAN), a_row(9, 100)])[1] == [("A", 1.0)]


def test_nothing_is_said_while_nothing_is_warm():
    assert said(a_ranking("A", "B", lookback=3), [a_row(10, 10), a_row(11, 10)]) == [[], []]


def test_what_misses_the_rebalancing_row_alone_keeps_its_rank():
    # Over two prints A rose from 11 to 12, B from 10 to 20.
    rows = [a_row(10, 10), a_row(11, 15), a_row(11, 20), a_row(12, NAN)]
    assert said(a_ranking("A", "B", lookback=2, rebalance_every=4), rows)[3] == [("A", 0.0), ("B", 1.0)]


def test_what_stopped_printing_is_let_go_at_the_next_rebalance():
    rows = [a_row(10, 10), a_row(11, 20), a_row(12, NAN), a_row(11, NAN)]
    spoken = said(a_ranking("A", "B", rebalance_every=2), rows)
    assert spoken[1] == [("A", 0.0), ("B", 1.0)]
    assert spoken[3] == [("B", 0.0), ("A", 1.0)]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"lookback": 0}, "lookback 0 and rebalance_every 1, allowed: from 1"),
        ({"rebalance_every": 0}, "lookback 1 and rebalance_every 0, allowed: from 1"),
        ({"top": 0}, r"top 0, allowed: 1 to 2 \(the symbols\)"),
        ({"top": 3}, r"top 3, allowed: 1 to 2 \(the symbols\)"),
    ],
)
def test_impossible_parameters_are_refused_with_what_is_allowed(params, message):
    with pytest.raises(ConfigError, match=message):
        a_ranking("A", "B", **params)
