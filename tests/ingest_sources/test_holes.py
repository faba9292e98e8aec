"""An answer without a bar between answers with bars: asked for again, and named if it stays."""

from datetime import date

import pytest

from research.ingest.fetching_view import facts, summary
from research.ingest.sources.bar_rows import bars_of, day_ns
from research.ingest.sources.source import Chunk
from tests.ingest_sources.builders import Silent, a_fetcher, wanted
from tests.ingest_sources.clocks import NOW

DAYS = [date(2014, 6, day) for day in (2, 3, 4, 5, 6)]
SPAN = {"first": DAYS[0], "last": DAYS[-1]}


class Forgetful:
    """A Source of one bar a day, each day a chunk; of the days in `lapses` the first answers are empty, so many."""

    name = "forgetful"
    adjustment = "raw"
    parallel = 1

    def __init__(self, lapses, *, adjustment="raw"):
        self.adjustment = adjustment
        self.asked = []
        self.doubted = []
        self._lapses = dict(lapses)

    def open(self):
        pass

    def close(self):
        pass

    def now_s(self):
        return NOW.timestamp()

    def refusal(self, _wanted):
        return ""

    def chunks(self, wanted):
        for day in (day for day in DAYS if wanted.first <= day <= wanted.last):
            self.asked.append(day.day)
            if wanted.is_doubted:
                self.doubted.append(day.day)
            self._lapses[day.day] = self._lapses.get(day.day, 0) - 1
            price = float(day.day)
            rows = [(day_ns(day), price, price, price, price, 100.0)] if self._lapses[day.day] < 0 else []
            yield Chunk(first=day, last=day, bars=bars_of(rows, wanted.symbol))


def test_an_empty_day_between_days_with_bars_is_asked_for_again(tmp_path):
    source = Forgetful({3: 1, 4: 1})
    (fate,) = a_fetcher(source, tmp_path).run([wanted(**SPAN)], Silent())
    assert (fate.added, fate.holes, source.asked) == (5, (), [2, 3, 4, 5, 3, 4, 6])
    assert source.doubted == [3, 4]


def test_a_day_that_stays_empty_is_named_with_the_way_to_ask_again(tmp_path):
    (fate,) = a_fetcher(Forgetful({4: 9}), tmp_path).run([wanted(**SPAN)], Silent())
    assert (fate.state, fate.added, fate.holes) == ("stored", 4, ("2014-06-04",))
    assert facts("forgetful", "1d", [fate])["symbols"][0]["holes"] == ("2014-06-04",)
    assert summary("forgetful", [fate])[1] == (
        "  AAPL: no bars of 2014-06-04, asked twice, though there are before and after: "
        "--again with --from and --to asks once more"
    )


@pytest.mark.parametrize("lapses", [{2: 9, 3: 9}, {5: 9, 6: 9}], ids=["before the first bar", "after the last one"])
def test_empty_days_at_an_end_are_believed(tmp_path, lapses):
    source = Forgetful(lapses)
    (fate,) = a_fetcher(source, tmp_path).run([wanted(**SPAN)], Silent())
    assert (fate.holes, source.asked) == ((), [2, 3, 4, 5, 6])


def test_stored_bars_on_both_sides_make_an_empty_day_a_hole(tmp_path):
    a_fetcher(Forgetful({4: 9}), tmp_path).run([wanted(**SPAN)], Silent())
    source = Forgetful({4: 1})
    only = wanted(first=DAYS[2], last=DAYS[2])
    (fate,) = a_fetcher(source, tmp_path, again=True).run([only], Silent())
    assert (fate.added, fate.holes, source.asked) == (1, (), [4, 4])


def test_a_hole_stays_named_where_the_whole_series_is_fetched_anew(tmp_path):
    a_fetcher(Forgetful({4: 9}, adjustment="split"), tmp_path).run([wanted(**SPAN)], Silent())
    source = Forgetful({4: 9}, adjustment="split")
    (fate,) = a_fetcher(source, tmp_path, again=True, replace=True).run([wanted(**SPAN)], Silent())
    assert (fate.replaced, fate.holes) == (0, ("2014-06-04",))
