import html
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from research.tear_sheet.page import render
from research.tear_sheet.words import money
from tests.tear_sheet.builders import MARKUP, a_record

SIZE_MAX = 500_000
FIVE_YEARS = 1_260


class Page(HTMLParser):
    """What a browser would make of it: tags with attributes, scripts apart from text."""

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.text = []
        self.scripts = []
        self._open: list[str] = []
        self.feed(page.decode())
        assert self._open == [], "every element ends"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "input"}:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        (self.scripts if self._open[-1:] == ["script"] else self.text).append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page():
    return render(a_record())


def test_the_same_record_gives_the_same_bytes(page):
    assert render(a_record()) == page


def test_nothing_is_asked_of_a_network(page):
    found = Page(page)
    addresses = [value for _, attributes in found.tags for name, value in attributes.items() if name in {"src", "href"}]
    assert addresses == ["data:,"]
    assert re.search(rb"url\(|@import|https?://", page) is None


def test_only_our_script_may_run_and_nothing_may_be_fetched(page):
    (policy,) = [tag["content"] for tag in Page(page).all("meta") if "http-equiv" in tag]
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/]+=*'", policy)


@pytest.mark.parametrize("where", ["reason", "data_name"])
def test_markup_in_what_others_wrote_is_text(where):
    if where == "data_name":
        record = a_record()
        record = type(record)(**{**{f: getattr(record, f) for f in record.__struct_fields__}, where: MARKUP})
    else:
        record = a_record(reason=MARKUP)
    page = render(record)
    found = Page(page)
    assert MARKUP.encode() not in page
    assert html.escape(MARKUP, quote=False).encode().split(b"&#39;")[0][:20] in page
    assert len(found.all("script")) == 2
    assert any("alert" in text for text in found.text)


def test_the_data_of_the_pointer_cannot_end_its_element():
    record = a_record()
    benchmark = type(record.benchmark)(name="</script><b>", returns=record.benchmark.returns)
    record = type(record)(**{**{f: getattr(record, f) for f in record.__struct_fields__}, "benchmark": benchmark})
    data, script = Page(render(record)).scripts
    assert json.loads(data)["charts"]["equity"]["s"][1]["n"] == "</script><b>"
    assert script.lstrip().startswith('"use strict"')


def test_the_pointer_reads_the_last_value_of_every_day(page):
    record = a_record()
    data = json.loads(Page(page).scripts[0])
    (mine, theirs) = data["charts"]["equity"]["s"]
    assert data["at"][0] == "2013-10-07"
    assert mine["v"] == [round(float(value)) for value in record.series.equity]
    assert (theirs["n"], len(theirs["v"])) == ("INDEX", 300)


def test_five_years_of_days_with_thousands_of_round_trips_stay_below_the_limit():
    page = render(a_record(FIVE_YEARS, trips=400, reason="momentum 0.123456 is number 3 of 131"))
    assert len(page) < SIZE_MAX


def test_of_many_round_trips_the_largest_are_shown_and_the_total_is_said():
    record = a_record(2_000, trips=500)
    page = render(record).decode()
    assert "The 400 of 500 round trips that won or lost most" in page
    largest = max((trip.profit for trip in record.trips), key=abs)
    assert f">{money(largest, sign=True)}<" in page


PROMISED = """
What this backtest cannot show
logarithmic
The deepest falls
Return per month
Sharpe ratio over 126 sessions
Beta to INDEX over 126 sessions
Gross exposure
Turnover per month
Positions over time
Worst moment against outcome
Round trips by strategy
Round trips by symbol
Entries the risk gate refused
fast = 5, slow = 20
bars.parquet
cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
"""


@pytest.mark.parametrize("words", PROMISED.split("\n")[1:-1])
def test_the_page_holds_all_it_promises(page, words):
    assert words in page.decode()


def test_without_a_benchmark_nothing_is_compared():
    page = render(a_record(benchmark=False)).decode()
    assert "INDEX" not in page
    assert "There is no benchmark to compare with" in page


def test_a_run_of_days_has_no_rolling_figures_and_says_so():
    assert "Rolling figures need 42 sessions" in render(a_record(20, trips=3)).decode()


def test_a_run_without_a_round_trip_says_so():
    assert "No round trip was closed" in render(a_record(trips=0)).decode()


def test_equity_that_falls_to_nothing_has_no_logarithmic_scale():
    page = render(a_record(60, trips=0, equity=np.linspace(100.0, -5.0, 60))).decode()
    assert "logarithmic" not in page
    assert not re.search(r'd="[^"]*nan', page, re.IGNORECASE)


@pytest.mark.parametrize("days", [1, 2])
def test_the_shortest_runs_have_a_page(days):
    assert b"</html>" in render(a_record(days, trips=0))


def test_every_drawing_says_in_words_what_it_shows(page):
    plots = [tag for tag in Page(page).all("div") if tag.get("role") == "img"]
    assert len(plots) >= 10
    assert all(tag["aria-label"].strip() for tag in plots)
