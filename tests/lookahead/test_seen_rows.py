"""What a strategy can reach from the row it is given."""

import pytest

from research.backtest.bar_drive import drive_bars
from shared.events import BarsClosed
from shared.market import sealed
from tests.backtest.builders import ScriptedEngine, a_driver, a_panel, flat

FIELDS = ("open", "high", "low", "close", "volume")


def reached_from(array):
    """The last thing that the chain of bases leads to."""
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def test_a_row_of_a_panel_leads_to_the_whole_panel_and_so_to_tomorrow():
    panel = a_panel([flat(100.0), flat(101.0), flat(102.0)])
    reached = reached_from(panel.row(0).close)
    assert reached.ravel().tolist() == [100.0, 101.0, 102.0]


@pytest.mark.parametrize("name", FIELDS)
def test_a_sealed_row_leads_to_its_own_bytes_only(name):
    row = sealed(a_panel([flat(100.0), flat(101.0), flat(102.0)]).row(1))
    reached = reached_from(getattr(row, name))
    assert isinstance(reached, bytes)
    assert len(reached) == 8 * len(row)


@pytest.mark.parametrize("name", FIELDS)
def test_a_sealed_row_cannot_be_written_to_nor_made_writable(name):
    array = getattr(sealed(a_panel([flat(100.0)]).row(0)), name)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1.0
    with pytest.raises(ValueError, match="WRITEABLE"):
        array.flags.writeable = True


def test_a_sealed_row_holds_the_same_numbers():
    row = a_panel([(100.0, 102.5, 99.0, 101.0), flat(7.0)]).row(0)
    found = sealed(row)
    assert [getattr(found, name).tolist() for name in FIELDS] == [[100.0], [102.5], [99.0], [101.0], [1e6]]


def test_every_row_that_a_replay_shows_to_its_engine_leads_to_itself_only():
    engine = ScriptedEngine()
    driver, timeline = a_driver(engine, a_panel([flat(100.0 + at) for at in range(6)]))
    drive_bars(driver, timeline)
    rows = [event.row for event in engine.events if isinstance(event, BarsClosed)]
    assert [row.close.tolist() for row in rows] == [[100.0 + at] for at in range(6)]
    assert {type(reached_from(getattr(row, name))) for row in rows for name in FIELDS} == {bytes}
