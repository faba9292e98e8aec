import re
from datetime import timedelta

import numpy as np

from research.tear_sheet.axis import time_axis
from research.tear_sheet.paths import HEIGHT, WIDTH, area, bar, dots, line
from research.tear_sheet.scale import Scale
from tests.backtest.builders import MONDAY, OPENS

UNIT = Scale(low=0.0, high=1.0, ticks=(0.0, 1.0))


def an_axis(rows):
    days = tuple(MONDAY + timedelta(days=at) for at in range(rows))
    return time_axis(tuple(OPENS + timedelta(days=at) for at in range(rows)), days)


def points(path):
    """Where a path of M, l and relative steps goes."""
    x = y = 0
    found = []
    for letter, first, second in re.findall(r"([Ml])(-?\d+) ?(-?\d+)", path):
        x, y = (int(first), int(second)) if letter == "M" else (x + int(first), y + int(second))
        found.append((x, y))
    return found


def test_a_line_goes_through_every_value_from_edge_to_edge():
    values = np.array([0.0, 0.5, 1.0])
    assert points(line(values, an_axis(3), UNIT)) == [(0, HEIGHT), (WIDTH // 2, HEIGHT // 2), (WIDTH, 0)]


def test_a_line_breaks_where_nothing_is_known():
    values = np.array([0.0, 0.5, np.nan, 0.5, 1.0])
    assert line(values, an_axis(5), UNIT).count("M") == 2


def test_the_peak_of_a_single_row_among_thousands_is_drawn():
    values = np.full(5_000, 0.5)
    values[3_333] = 1.0
    assert min(y for _, y in points(line(values, an_axis(5_000), UNIT))) == 0


def test_five_years_of_days_are_a_few_kilobytes():
    values = np.random.default_rng(1).random(1_260)
    assert len(line(values, an_axis(1_260), UNIT)) < 30_000


def test_an_area_begins_and_ends_on_its_base():
    assert area(np.array([0.5, 1.0]), an_axis(2), UNIT) == f"M0 {HEIGHT}V{HEIGHT // 2}l{WIDTH}-{HEIGHT // 2}V{HEIGHT}z"


def test_a_bar_stands_on_its_low_end():
    assert bar(0.5, 0.1, 0.0, 0.25) == "M1000 750h200v250H1000z"


def test_equal_dots_are_drawn_once():
    assert dots(np.array([0.5, 0.5]), np.array([1.0, 1.0])) == "M1000 0h0"
