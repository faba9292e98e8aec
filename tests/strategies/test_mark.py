"""A memory kept by other code is recognised, however alike it looks; one kept by the same code is taken."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from shared.errors import DataError
from strategies.registry import load_strategy
from strategies.state import Snapshot, unpack
from tests.strategies.rows import a_universe, random_rows, signals_of

UNIVERSE = a_universe("A", "B")
OWN = """
import numpy as np

from shared.indicators.indicator import Indicator, kernel
from shared.indicators.lockstep import Base, Lockstep, spec
from shared.indicators.sma import Sma
from strategies.base import Strategy

STEEPNESS = 0.25
POLE = (2.0, (1.0, 3.0))


@kernel
def step(p, s, x, lo, hi, t):
    for i in range(lo, hi):
        s[0, i] = s[1, i]
        s[1, i] = x[0, i]


@kernel
def under(p, s, x, lo, hi, t):
    for i in range(lo, hi):
        s[0, i] = x[0, i] + 1.0


BASE = Base(under, (), lambda: 1)
spec(step, "own", "close -> value", rows=lambda _: 2, warm_up=lambda _: 1, formula="", source="", base=BASE)


def blended(old, new):
    return old + STEEPNESS * (new - old) / POLE[0]


class Smooth(Indicator):
    def update(self, close):
        self._value = blended(np.nan_to_num(self._value), np.nan_to_num(close))
        return self.value


class Own(Strategy):
    def __init__(self, universe, *, length: int = 3):
        super().__init__(universe)
        self.smooth = Smooth(len(universe), 1)
        self.average = Sma(len(universe), 5)
        self.driven = Lockstep(len(universe), f"{__name__}:step", np.array([1.0]), shape=(1, 1, 2))
        self.last = 0.0

    def on_row(self, row, _closed_at, /):
        self.last = float(self.smooth.update(row.close)[0])
        self.average.update(row.close)
        return []
"""


@pytest.fixture
def own(tmp_path):
    """Load the strategy from its file, in which a piece of the text is another."""

    def load(old="", new="", **params):
        assert old in OWN
        (tmp_path / "own.py").write_text(OWN.replace(old, new) if old else OWN)
        return load_strategy("own.py", UNIVERSE, params, tmp_path)

    return load


def test_a_memory_of_the_same_code_is_taken_whatever_has_been_seen_since(own):
    kept = own()
    signals_of(kept, random_rows(20, len(UNIVERSE)))
    other = own()
    other.restore(kept.snapshot())
    assert other.snapshot() == kept.snapshot()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        self.last = 0.0", "        # where it stood\n\n        self.last = 0.0"),
        ("def blended(old, new):", 'def blended(old, new):\n    """Between the two."""'),
        ("for i in range(lo, hi):", "for i in range(lo, hi):  # everybody"),
    ],
    ids=["a comment", "a docstring", "a comment in a kernel"],
)
def test_what_only_explains_the_code_is_no_other_code(own, old, new):
    kept = own().snapshot()
    own(old, new).restore(kept)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("s[0, i] = s[1, i]\n        s[1, i] = x[0, i]", "s[1, i] = s[0, i]\n        s[0, i] = x[0, i]"),
        ("x[0, i] + 1.0", "x[0, i] + 2.0"),
        ("old + STEEPNESS * (new - old)", "new + STEEPNESS * (old - new)"),
        ("STEEPNESS = 0.25", "STEEPNESS = 0.5"),
        ("POLE = (2.0, (1.0, 3.0))", "POLE = (2.0, (1.0, 4.0))"),
        ("Sma(len(universe), 5)", "Sma(len(universe), 6)"),
        ("np.array([1.0]), shape", "np.array([2.0]), shape"),
        ("self.last = float(self.smooth.update(row.close)[0])", "self.last = float(self.smooth.update(row.high)[0])"),
        ("length: int = 3", "length: int = 4"),
    ],
    ids=[
        "rows of a kernel's state that changed places",
        "what a kernel stands on",
        "a function that an indicator calls",
        "a constant that it names",
        "a constant within a tuple",
        "another period",
        "another parameter of a kernel",
        "another meaning of an attribute",
        "another default",
    ],
)
def test_a_memory_of_other_code_is_refused_though_it_has_the_same_shape(own, old, new):
    strategy = own()
    signals_of(strategy, random_rows(20, len(UNIVERSE)))
    kept = strategy.snapshot()
    with pytest.raises(DataError, match=r"strategy Own: kept by other code or with other indicators \([0-9a-f]{16}\)"):
        own(old, new).restore(kept)


def test_a_refused_memory_leaves_the_strategy_as_it_was(own):
    kept, other = own().snapshot(), own("STEEPNESS = 0.25", "STEEPNESS = 0.5")
    before = other.snapshot()
    with pytest.raises(DataError):
        other.restore(kept)
    assert other.snapshot() == before


def test_a_memory_without_a_mark_is_refused(own):
    kept = msgspec.msgpack.decode(own().snapshot(), type=Snapshot)
    unmarked = msgspec.msgpack.encode(msgspec.structs.replace(kept, mark=""))
    with pytest.raises(DataError, match=r"\(without a mark\), allowed: [0-9a-f]{16}"):
        own().restore(unmarked)


def test_an_indicator_that_came_later_is_known_by_its_own_mark(own):
    kept = own()
    kept.late = kept.smooth
    del kept.smooth
    written = kept.snapshot()
    own("STEEPNESS = 0.25", "STEEPNESS = 0.5")
    with pytest.raises(DataError, match=r"indicator strategy_file_own\.Smooth was kept by other code"):
        unpack(written)


def test_the_mark_is_the_same_in_every_process(own):
    code = (
        "import sys; from strategies.registry import load_strategy; from tests.strategies.rows import a_universe;"
        "made = load_strategy('kalman_trend', a_universe('A', 'B'), {}, None);"
        "sys.stdout.buffer.write(made.snapshot())"
    )
    env = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=env, cwd=Path.cwd())
    load_strategy("kalman_trend", UNIVERSE, {}, None).restore(there.stdout)
