from itertools import combinations

import msgspec
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from research.backtest.picture import draw, headline
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


@pytest.mark.parametrize(
    "versus", ["INDEX", "sp500_index_daily", "an index with a very long name that nobody shortens"]
)
def test_no_two_words_of_the_headline_lie_over_each_other(versus):
    figure = Figure(figsize=(11, 11), dpi=130)
    canvas = FigureCanvasAgg(figure)
    record = a_record(300)
    against = msgspec.structs.replace(record.measures.benchmark, name=versus)
    headline(
        figure, msgspec.structs.replace(record, measures=msgspec.structs.replace(record.measures, benchmark=against))
    )
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in figure.texts if text.get_text()]
    assert [(one, other) for one, other in combinations(boxes, 2) if one.overlaps(other)] == []
