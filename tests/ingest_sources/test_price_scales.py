"""Prices that a source adjusts until today: after a split the same bars come on another scale, and scales never mix."""

from datetime import date, datetime, timedelta

import pytest

from brokers.simulated.gateway.faults.disturbed_market import DisturbedMarket
from brokers.simulated.market.synthetic import SyntheticMarket
from shared.errors import DataError
from shared.io.bar_library import BarStore
from tests.ingest_sources.builders import DAY, Silent, a_fetcher, wanted
from tests.ingest_sources.clocks import NOW
from tests.ingest_sources.test_fetching import Scripted
from tests.ingest_sources.test_interactive_brokers import DAYS, Visit

EARLY, MIDDLE, LATE = date(2014, 6, 2), date(2014, 6, 6), date(2014, 6, 13)
SPLIT_IN_FOUR = 0.25


def fetched(folder, *, scale=1.0, first=EARLY, last=LATE, days_each=30, again=False, replace=False, adjustment="split"):
    """A source of adjusted prices, asked once; what became of AAPL."""
    source = Scripted(adjustment=adjustment, scale=scale, days_each=days_each)
    terms = {"again": again, "replace": replace}
    return a_fetcher(source, folder, **terms).run([wanted(first=first, last=last)], Silent())[0]


def closes(folder):
    return BarStore(folder).read(["AAPL"], "1d", view="split").close[:, 0].tolist()


@pytest.mark.parametrize(
    "asked",
    [
        {"first": EARLY, "last": LATE},
        {"first": EARLY, "last": date(2014, 6, 5)},
        {"first": date(2014, 6, 12), "last": LATE},
        {"first": EARLY, "last": LATE, "again": True},
        {"first": EARLY, "last": date(2014, 6, 4), "again": True},
        {"first": date(2014, 6, 9), "last": LATE, "again": True, "replace": True},
    ],
)
def test_after_a_split_nothing_on_the_new_scale_is_put_beside_the_old(tmp_path, asked):
    fetched(tmp_path, first=MIDDLE, last=date(2014, 6, 10))
    fate = fetched(tmp_path, scale=SPLIT_IN_FOUR, **asked)
    assert fate.state == "failed"
    assert "0.25 times the stored prices" in fate.reason
    assert closes(tmp_path) == [6, 9, 10]


def test_all_of_it_fetched_anew_is_on_the_new_scale(tmp_path):
    fetched(tmp_path, first=MIDDLE, last=date(2014, 6, 10))
    assert fetched(tmp_path, scale=SPLIT_IN_FOUR, again=True, replace=True).state == "stored"
    assert closes(tmp_path) == [0.5, 0.75, 1.0, 1.25, 1.5, 2.25, 2.5, 2.75, 3.0, 3.25]
    assert fetched(tmp_path, scale=SPLIT_IN_FOUR).state == "nothing_new"


def test_without_a_split_a_part_of_it_may_be_fetched_anew(tmp_path):
    fetched(tmp_path)
    assert fetched(tmp_path, first=MIDDLE, again=True, replace=True).state == "nothing_new"
    assert len(closes(tmp_path)) == 10


def test_a_source_that_gives_no_stored_bar_any_more_is_not_believed_about_others(tmp_path):
    fetched(tmp_path, last=MIDDLE)
    gone = Scripted(adjustment="split", days=[date(2014, 6, 9)])
    (fate,) = a_fetcher(gone, tmp_path).run([wanted()], Silent())
    assert fate.state == "failed"
    assert "none of the stored bars" in fate.reason


def test_dividend_adjusted_prices_are_held_to_less(tmp_path):
    fetched(tmp_path, last=MIDDLE, adjustment="total")
    fate = fetched(tmp_path, scale=0.999, adjustment="total")
    assert "0.999 times the stored prices" in fate.reason


def years(*days):
    later = NOW + timedelta(days=1)
    return Scripted(adjustment="split", scale=SPLIT_IN_FOUR, days=days, days_each=400, now=later)


def test_a_change_of_scale_that_was_killed_half_way_is_told_and_ends_when_done_again(tmp_path):
    """The store's two parts, of which the run that died had changed one."""
    days = (date(2013, 6, 3), date(2014, 6, 3))
    asked = [wanted(first=days[0], last=days[-1])]
    old = Scripted(adjustment="split", days=days, days_each=400)
    a_fetcher(old, tmp_path).run(asked, Silent())
    untouched = tmp_path / "bars" / "1d" / "AAPL" / "2014.parquet"
    before = untouched.read_bytes()
    a_fetcher(years(*days), tmp_path, again=True, replace=True).run(asked, Silent())
    untouched.write_bytes(before)
    store = BarStore(tmp_path)
    with pytest.raises(DataError, match=r"adjusted at .* and at .*: a change of scale that did not end, allowed: one"):
        store.read(["AAPL"], "1d", view="split")
    assert "a change of scale that did not end" in " ".join(store.damaged_parts("AAPL", "1d"))
    assert a_fetcher(years(*days), tmp_path, again=True, replace=True).run(asked, Silent())[0].state == "stored"
    assert BarStore(tmp_path).read(["AAPL"], "1d", view="split").close[:, 0].tolist() == [0.75, 0.75]


def test_the_history_of_a_gateway_after_a_split(tmp_path):
    """TWS halves all of the past; the store refuses, and holds the new past after --again --replace."""
    market = DisturbedMarket(
        SyntheticMarket(seed=7, symbols=("SPY", "AAPL", "IBM"), history_sessions=4), lambda _: None
    )
    store = tmp_path / "store"
    (tmp_path / "one").mkdir()
    with Visit(tmp_path / "one", market=market) as visit:
        visit.fetch(store, DAY, symbols=("SPY",), last=DAYS[-2])
    before = BarStore(store).read(["SPY"], "1d", view="split").close[:, 0]
    market.move("SPY", 0.5)
    (tmp_path / "two").mkdir()
    with Visit(tmp_path / "two", market=market) as visit:
        (fate,) = visit.fetch(store, DAY, symbols=("SPY",))
        assert "0.5 times the stored prices" in fate.reason
        assert BarStore(store).read(["SPY"], "1d", view="split").close[:, 0].tolist() == before.tolist()
    (tmp_path / "three").mkdir()
    with Visit(tmp_path / "three", market=market) as visit:
        (fate,) = visit.fetch(store, DAY, symbols=("SPY",), terms={"again": True, "replace": True})
    after = BarStore(store).read(["SPY"], "1d", view="split").close[:, 0]
    assert (fate.state, len(after)) == ("stored", len(before) + 1)
    assert after[:-1] == pytest.approx(before / 2, abs=0.01)
    (span,) = BarStore(store).spans()
    assert datetime.fromisoformat(span.adjusted_at).tzinfo is not None
