import pytest

from research.backtest.picture import draw
from tests.tear_sheet.builders import MARKUP, a_record


@pytest.mark.parametrize(
    "record",
    [a_record(300), a_record(20, trips=3, benchmark=False), a_record(1, trips=0), a_record(60, reason=MARKUP + "$x^")],
    ids=["a year", "a month", "a day", "odd words"],
)
def test_the_picture_is_a_png_of_the_full_size(record):
    png = draw(record)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")) == (1430, 1430)


def test_the_same_record_gives_the_same_picture():
    assert draw(a_record(60, trips=5)) == draw(a_record(60, trips=5))
