"""The strategy file shown in docs/strategies.md is the file that runs."""

import re
from pathlib import Path

import pytest

from strategies.registry import load_strategy
from tests.strategies.rows import a_row, a_universe, random_rows, said, signals_of

ROOT = Path(__file__).resolve().parents[2]
BREAKOUT = "docs/examples/breakout.py"


def test_the_page_shows_the_file_to_the_letter():
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "strategies.md").read_text(), re.DOTALL)
    assert shown == [(ROOT / BREAKOUT).read_text()]


@pytest.mark.parametrize(("example", "lines"), [(BREAKOUT, 25), ("docs/examples/pullback.py", 45)])
def test_an_example_is_short(example, lines):
    assert len((ROOT / example).read_text().splitlines()) <= lines


def test_the_page_names_the_file_as_config_toml_does():
    assert f'kind = "{BREAKOUT}"' in (ROOT / "docs" / "strategies.md").read_text()


def test_breakout_goes_long_a_range_above_the_average_and_flat_below_it():
    strategy = load_strategy(BREAKOUT, a_universe("SPY"), {"period": 3}, ROOT)
    # Four equal closes warm it up: average 100, range 2. At 104 the average is 101.33 and the range
    # (2 * 2 + 5) / 3 = 3: only 2.67 above. At 112: 105.33 and (3 * 2 + 9) / 3 = 5, 6.67 above. At 100: below.
    rows = [a_row(close) for close in (100, 100, 100, 100, 104, 112, 100)]
    assert said(strategy, rows) == [[], [], [], [], [], [("SPY", 1.0)], [("SPY", 0.0)]]


def test_breakout_continues_from_its_snapshot_as_if_nothing_had_happened():
    rows = random_rows()
    whole = load_strategy(BREAKOUT, a_universe("A", "B", "C"), {"period": 5}, ROOT)
    expected = signals_of(whole, rows)
    first = load_strategy(BREAKOUT, a_universe("A", "B", "C"), {"period": 5}, ROOT)
    signals_of(first, rows[:50])
    second = load_strategy(BREAKOUT, a_universe("A", "B", "C"), {"period": 5}, ROOT)
    second.restore(first.snapshot())
    assert signals_of(second, rows[50:]) == expected[50:]
