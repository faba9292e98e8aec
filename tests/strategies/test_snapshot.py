"""A strategy's state survives as bytes, exactly, or is refused with its name."""

import math
from datetime import UTC, date, datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ConfigError, DataError
from shared.indicators.atr import Atr
from shared.indicators.ema import Ema
from shared.indicators.indicator import Indicator
from shared.indicators.rate_of_change import RateOfChange
from shared.indicators.sma import Sma
from strategies.base import Strategy
from strategies.cross_momentum import CrossMomentum
from strategies.sma_cross import SmaCross
from tests.strategies.rows import FIRST_CLOSE, a_row, a_universe, random_rows, signals_of

UNIVERSE = a_universe("A", "B", "C")


class Keeper(Strategy):
    """Keeps whatever it is given."""

    def __init__(self, universe, *, size=1):
        super().__init__(universe)
        self.kept = None

    def on_row(self, _row, _closed_at, /):
        return []


class Streak(Indicator):
    """An indicator of a user's own."""

    def update(self, close):
        self.longest = max(getattr(self, "longest", 0), int(np.count_nonzero(close)))
        return self.value


def kept_again(value):
    keeper, other = Keeper(UNIVERSE), Keeper(UNIVERSE)
    keeper.kept = value
    other.restore(keeper.snapshot())
    assert other.snapshot() == keeper.snapshot()
    return other.kept


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.datetimes(),
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers() | st.dates(), inner)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(plain)
def test_plain_values_come_back_with_type_and_value(value):
    assert repr(kept_again(value)) == repr(value)


@pytest.mark.parametrize(
    "array",
    [
        np.array([1.5, math.nan, -0.0, math.inf]),
        np.arange(6, dtype=np.int8).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([True, False]),
        np.array(["SPY", "IBM"]),
        np.array(["2013-10-08T13:30"], dtype="datetime64[s]"),
        np.array([(1, 2.5)], dtype=[("count", "i4"), ("price", "f8")]),
        np.array([1, 2], dtype=">u2"),
        np.zeros((0, 3)),
        np.array(7.0),
    ],
    ids=lambda array: f"{array.dtype}-{array.shape}",
)
def test_an_array_comes_back_with_type_shape_and_every_bit_and_can_be_written(array):
    again = kept_again(array)
    assert (again.dtype, again.shape, again.tobytes("A")) == (array.dtype, array.shape, array.tobytes("A"))
    assert again.flags.writeable


@pytest.mark.parametrize("number", [np.float64(0.1), np.int32(-3), np.bool_(True), np.float32("nan")])
def test_a_numpy_number_stays_a_numpy_number(number):
    again = kept_again(number)
    assert type(again) is type(number)
    assert again.tobytes() == number.tobytes()


def test_an_instant_comes_back_as_the_same_instant():
    assert kept_again(datetime(2013, 10, 8, 13, 30, tzinfo=UTC)) == datetime(2013, 10, 8, 13, 30, tzinfo=UTC)
    assert kept_again({date(2013, 10, 8): 1}) == {date(2013, 10, 8): 1}


@pytest.mark.parametrize("indicator", [Sma, Ema, RateOfChange, Atr])
def test_an_indicator_wherever_it_is_kept_continues_where_it_was(indicator):
    arguments = 3 if indicator is Atr else 1
    rows = [row.close for row in random_rows(60)]
    kept = {"A": [indicator(3, 7)]}
    for row in rows[:40]:
        kept["A"][0].update(*[row] * arguments)
    again = kept_again(kept)
    for row in rows[40:]:
        assert again["A"][0].update(*[row] * arguments).tobytes() == kept["A"][0].update(*[row] * arguments).tobytes()


def test_an_indicator_of_a_users_own_is_carried_too():
    streak = Streak(3, 1)
    streak.update(np.ones(3))
    again = kept_again(streak)
    assert (type(again), again.longest) == (Streak, 3)


@pytest.mark.parametrize(
    ("strategy", "params"),
    [
        (SmaCross, {"fast": 3, "slow": 8}),
        (CrossMomentum, {"lookback": 5, "rebalance_every": 4, "top": 2}),
    ],
)
@pytest.mark.parametrize("cut", [0, 1, 7, 50])
def test_a_restored_strategy_says_what_the_uninterrupted_one_says(strategy, params, cut):
    rows = random_rows()
    expected = signals_of(strategy(UNIVERSE, **params), rows)
    first, second = strategy(UNIVERSE, **params), strategy(UNIVERSE, **params)
    signals_of(first, rows[:cut])
    second.restore(first.snapshot())
    assert signals_of(second, rows[cut:]) == expected[cut:]


def test_a_restored_strategy_shares_nothing_with_the_one_it_came_from():
    first, second = SmaCross(UNIVERSE, fast=1, slow=2), SmaCross(UNIVERSE, fast=1, slow=2)
    second.restore(first.snapshot())
    before = first.snapshot()
    signals_of(second, [a_row(1, 2, 3)])
    assert first.snapshot() == before


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({1, 2}, "strategy Keeper: kept is set, which a snapshot cannot carry, allowed: int, float"),
        ({"x": [1, object()]}, r"strategy Keeper: kept\['x'\]\[1\] is object"),
        (np.array([None]), "strategy Keeper: kept is ndarray"),
        (lambda: None, "strategy Keeper: kept is function"),
    ],
    ids=["set", "nested", "object array", "function"],
)
def test_a_value_that_cannot_be_carried_is_refused_with_strategy_attribute_and_type(value, said):
    keeper = Keeper(UNIVERSE)
    keeper.kept = value
    with pytest.raises(ConfigError, match=said):
        keeper.snapshot()


def test_one_object_in_two_places_is_refused_because_it_would_come_back_as_two():
    keeper = Keeper(UNIVERSE)
    one = [1]
    keeper.kept = (one, one)
    with pytest.raises(ConfigError, match=r"strategy Keeper: kept\[0\] and kept\[1\] are one object"):
        keeper.snapshot()


def test_a_list_that_holds_itself_is_refused():
    keeper = Keeper(UNIVERSE)
    keeper.kept = []
    keeper.kept.append(keeper.kept)
    with pytest.raises(ConfigError, match=r"kept and kept\[0\] are one object"):
        keeper.snapshot()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Keeper(UNIVERSE, size=2), "params is {'size': 2}, allowed: {}"),
        (Keeper(a_universe("A", "B")), r"symbols is \('A', 'B'\), allowed: \('A', 'B', 'C'\)"),
        (SmaCross(UNIVERSE, fast=1, slow=2), "strategy is SmaCross, allowed: Keeper"),
    ],
    ids=["params", "symbols", "strategy"],
)
def test_a_snapshot_of_something_else_is_refused_and_changes_nothing(other, said):
    keeper = Keeper(UNIVERSE)
    keeper.kept = 5
    with pytest.raises(DataError, match=said):
        keeper.restore(other.snapshot())
    assert keeper.kept == 5


@pytest.mark.parametrize("data", [b"", b"\xc1", b"hello", b"\x80"])
def test_bytes_that_are_no_snapshot_are_refused(data):
    with pytest.raises(DataError, match="snapshot of a strategy"):
        Keeper(UNIVERSE).restore(data)


def written_by_a_keeper(state):
    """A snapshot of this code with a state that it would not have written."""
    return msgspec.msgpack.encode({**msgspec.msgpack.decode(Keeper(UNIVERSE).snapshot()), "state": state})


def test_a_kind_of_value_from_a_later_version_is_refused_by_name():
    written = written_by_a_keeper({"kept": ["deque", []]})
    with pytest.raises(DataError, match="kind 'deque', allowed: int, date"):
        Keeper(UNIVERSE).restore(written)


def test_an_indicator_whose_class_is_not_loaded_is_refused_by_name():
    written = written_by_a_keeper({"kept": ["indicator", ["gone.py", "Gone", "0123456789abcdef", []]]})
    with pytest.raises(DataError, match=r"indicator gone\.py\.Gone is not loaded"):
        Keeper(UNIVERSE).restore(written)


@pytest.mark.parametrize("conviction", [1.01, -2, math.nan, math.inf])
def test_a_conviction_outside_its_range_is_refused_with_the_instrument(conviction):
    with pytest.raises(ConfigError, match=f"strategy Keeper: conviction {conviction} for B, allowed: -1 to 1"):
        Keeper(UNIVERSE).signal(1, conviction, "why")


def test_a_signal_made_of_numpy_numbers_holds_plain_ones():
    signal = Keeper(UNIVERSE).signal(np.int64(2), np.float64(0.5), "why")
    assert (signal.symbol, signal.conviction, type(signal.conviction)) == ("C", 0.5, float)


def test_rows_are_not_changed_by_the_strategies():
    row = a_row(1, 2, 3)
    row.close.flags.writeable = False
    for strategy in (
        SmaCross(UNIVERSE, fast=1, slow=2),
        CrossMomentum(UNIVERSE, lookback=1, rebalance_every=1, top=1),
    ):
        assert strategy.on_row(row, FIRST_CLOSE) == []
