from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.errors import DataError, NotFound, Refused
from shared.io.bar_disk import only_writer
from shared.io.bar_library import Appended, BarStore
from shared.io.bar_manifest import MANIFEST
from shared.io.bar_part import Bars
from shared.io.bar_places import folder_name, interval_s_of, symbol_of
from shared.io.bar_store import load_bars
from shared.io.panel_of_bars import bars_of
from shared.io.stored_actions import Action
from tests.ingest.builders import MINUTE_NS, a_walk, bars_at, daily

SPLIT = Action(ex_date=date(2014, 6, 4), split=2.0, known_at=datetime(2014, 5, 1, tzinfo=UTC), source="test")


@pytest.fixture
def store(tmp_path):
    return BarStore(tmp_path / "data")


def closes(store, symbol="AAA", **how):
    return store.read([symbol], "1d", **how).close[:, 0].tolist()


def test_bars_come_back_as_they_were_given(store):
    bars = daily(closes=a_walk(600))
    assert store.append("AAA", "1d", bars, source="test") == Appended(600, 0, 0)
    back = bars_of(store.read(["AAA"], "1d"), "AAA")
    assert all(np.array_equal(getattr(back, name), getattr(bars, name)) for name in Bars.__struct_fields__)


def test_the_same_bars_again_change_no_file(store):
    store.append("AAA", "1d", daily(), source="test")
    before = {path: path.stat().st_mtime_ns for path in store.folder.rglob("*.*")}
    assert store.append("AAA", "1d", daily(), source="test") == Appended(0, 3, 0)
    assert {path: path.stat().st_mtime_ns for path in store.folder.rglob("*.*")} == before


def test_a_refresh_leaves_finished_years_alone(store):
    bars = daily(date(2013, 12, 2), a_walk(60))
    store.append("AAA", "1d", bars.at(slice(0, 40)), source="test")
    finished = store.folder / "bars/1d/AAA/2013.parquet"
    before = finished.stat()
    store.append("AAA", "1d", bars.at(slice(30, 60)), source="test")
    assert (finished.stat().st_ino, finished.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(store.read(["AAA"], "1d")) == 60


def test_bars_that_contradict_stored_ones_are_refused_and_nothing_changes(store):
    store.append("AAA", "1d", daily(), source="test")
    other = daily(closes=(10.0, 11.5, 12.0, 13.0))
    with pytest.raises(DataError) as refused:
        store.append("AAA", "1d", other, source="other")
    assert "2014-06-03T13:30:00Z contradicts the stored one: open 11.5 (stored 11)" in str(refused.value)
    assert closes(store) == [10.0, 11.0, 12.0]


def test_bars_that_are_to_replace_others_do_and_are_counted(store):
    store.append("AAA", "1d", daily(), source="test")
    done = store.append("AAA", "1d", daily(closes=(10.0, 11.5, 12.0, 13.0)), source="other", replace=True)
    assert (done, closes(store)) == (Appended(1, 2, 1), [10.0, 11.5, 12.0, 13.0])
    assert store.spans()[0].sources == ("other", "test")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("close", np.nan, "close is not above 0"),
        ("open", 0.0, "open is not above 0"),
        ("high", np.inf, "price is not finite"),
        ("volume", -1.0, "volume is not 0 or more"),
        ("high", 10.5, "open or close above high"),
        ("low", 11.5, "open or close below low"),
        ("opened_at", 0, "duplicate or decreasing time"),
    ],
)
def test_a_bar_that_cannot_be_never_gets_in(store, field, value, said):
    bars = daily()
    getattr(bars, field)[1] = value
    with pytest.raises(DataError, match=said):
        store.append("AAA", "1d", bars, source="test")
    assert store.spans() == ()


def test_adjusted_prices_are_never_mixed_with_raw_ones(store):
    store.append("AAA", "1d", daily(), source="test")
    later = daily(date(2014, 6, 5), (6.0,))
    with pytest.raises(DataError, match="split prices, but the stored ones are raw"):
        store.append("AAA", "1d", later, source="test", adjustment="split")


def test_prices_stored_adjusted_can_be_seen_only_so(store):
    store.append("AAA", "1d", daily(), source="test", adjustment="split")
    assert closes(store, view="split") == [10.0, 11.0, 12.0]
    with pytest.raises(DataError, match="stored split-adjusted by its source, view raw cannot be made of it"):
        store.read(["AAA"], "1d", view="raw")


def test_a_split_halves_what_was_before_and_doubles_its_volume(store):
    store.append("AAA", "1d", daily(closes=(10.0, 12.0, 6.0)), source="test")
    store.put_actions("AAA", [SPLIT])
    panel = store.read(["AAA"], "1d", view="split")
    assert panel.close[:, 0].tolist() == [5.0, 6.0, 6.0]
    assert panel.volume[:, 0].tolist() == [2000.0, 2000.0, 1000.0]
    assert closes(store) == [10.0, 12.0, 6.0]


def test_a_later_split_counts_for_an_earlier_window(store):
    store.append("AAA", "1d", daily(closes=(10.0, 12.0, 6.0)), source="test")
    store.put_actions("AAA", [SPLIT])
    assert closes(store, view="split", end=date(2014, 6, 2)) == [5.0]


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (datetime(2014, 6, 3, 20, 0, tzinfo=UTC), [10.0, 12.0]),
        (datetime(2014, 6, 3, 19, 59, tzinfo=UTC), [10.0]),
        (datetime(2014, 6, 4, 20, 0, tzinfo=UTC), [5.0, 6.0, 6.0]),
    ],
)
def test_a_point_in_time_has_no_later_bar_and_no_split_not_yet_gone_ex(store, as_of, expected):
    store.append("AAA", "1d", daily(closes=(10.0, 12.0, 6.0)), source="test")
    store.put_actions("AAA", [SPLIT])
    assert closes(store, view="split", as_of=as_of) == expected


def test_an_action_that_became_known_late_is_not_used_before(store):
    store.append("AAA", "1d", daily(closes=(10.0, 12.0, 6.0)), source="test")
    store.put_actions("AAA", [replace(SPLIT, known_at=datetime(2014, 6, 9, tzinfo=UTC))])
    assert closes(store, view="split", as_of=datetime(2014, 6, 8, tzinfo=UTC)) == [10.0, 12.0, 6.0]
    assert closes(store, view="split", as_of=datetime(2014, 6, 9, tzinfo=UTC)) == [5.0, 6.0, 6.0]


def test_actions_are_kept_once_and_contradictions_refused(store):
    assert store.put_actions("AAA", [SPLIT]) == 1
    assert store.put_actions("AAA", [SPLIT]) == 0
    with pytest.raises(DataError, match="split 3 contradict the stored 0, 2"):
        store.put_actions("AAA", [replace(SPLIT, split=3.0)])
    assert store.put_actions("AAA", [replace(SPLIT, split=3.0)], replace=True) == 1
    assert [action.split for action in store.actions("AAA")] == [3.0]


@pytest.mark.parametrize(
    "symbol", ["NA", "CON", "BRK.B", "BF B", "con", "..", ".", "A/B", "COM1.X", "ÄÖ", "NaN", "a%41"]
)
def test_every_symbol_is_safe_as_a_file_name_and_comes_back(store, symbol):
    store.append(symbol, "1d", daily(), source="test")
    assert store.symbols("1d") == (symbol,)
    assert closes(store, symbol) == [10.0, 11.0, 12.0]
    assert load_bars(store.folder / "bars/1d" / folder_name(symbol)).symbols == (symbol,)


@given(st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable() and text == text.strip()))
def test_names_of_folders_are_plain_and_differ_in_more_than_case(symbol):
    name = folder_name(symbol)
    assert symbol_of(name) == symbol
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>| ')
    assert not name.startswith(".")
    assert name.replace("%", "").upper() == name.replace("%", "")


@pytest.mark.parametrize("symbol", ["", " A", "A\n", "A\x00B", "X" * 65])
def test_what_is_no_symbol_is_refused(store, symbol):
    with pytest.raises(DataError, match="allowed: 1 to 64 printable characters"):
        store.append(symbol, "1d", daily(), source="test")


@pytest.mark.parametrize("frequency", ["daily", "60m", "0m", "2d", "1D", "60s", ""])
def test_what_is_no_frequency_is_refused(frequency):
    with pytest.raises(DataError, match="allowed: 1d, or seconds, minutes or hours"):
        interval_s_of(frequency)


@pytest.mark.parametrize(
    ("frequency", "names"), [("5m", ["2014"]), ("1m", ["2014-05", "2014-06"]), ("5s", ["2014-05-30", "2014-06-02"])]
)
def test_shorter_bars_have_parts_of_shorter_periods(store, frequency, names):
    friday = datetime(2014, 5, 30, 20, 0, tzinfo=UTC).timestamp() * 10**9
    monday = datetime(2014, 6, 2, 13, 30, tzinfo=UTC).timestamp() * 10**9
    store.append("AAA", frequency, bars_at([int(friday), int(monday)], 10.0), source="test")
    assert sorted(path.stem for path in store.folder.rglob("*.parquet")) == names


def test_an_evening_bar_belongs_to_its_new_york_day(store):
    evening = datetime(2014, 7, 1, 0, 30, tzinfo=UTC).timestamp() * 10**9  # 20:30 on 30 June in New York
    store.append("AAA", "1m", bars_at([int(evening)], 10.0), source="test")
    assert [path.stem for path in store.folder.rglob("*.parquet")] == ["2014-06"]
    assert len(store.read(["AAA"], "1m", date(2014, 6, 30), date(2014, 6, 30))) == 1


def test_symbols_stand_side_by_side_with_holes_where_one_has_no_bar(store):
    store.append("AAA", "1d", daily(), source="test")
    store.append("BBB", "1d", daily(date(2014, 6, 3), (7.0,)), source="test")
    panel = store.read(["BBB", "AAA"], "1d")
    assert panel.symbols == ("BBB", "AAA")
    assert np.array_equal(panel.close, [[np.nan, 10.0], [7.0, 11.0], [np.nan, 12.0]], equal_nan=True)


def test_a_gap_is_a_session_without_a_bar_and_no_holiday(store):
    week = daily(date(2014, 6, 30), (1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    store.append("AAA", "1d", week.at(np.array([0, 1, 3, 5])), source="test")  # without Wednesday and the holiday
    assert store.spans()[0].gaps == (("2014-07-02", "2014-07-02"),)


def test_a_gap_between_two_years_is_seen(store):
    store.append("AAA", "1d", daily(date(2013, 12, 30), (1.0,)), source="test")
    store.append("AAA", "1d", daily(date(2014, 1, 3), (1.0,)), source="test")
    assert store.spans()[0].gaps == (("2013-12-31", "2014-01-02"),)


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"parts": [1', b"\xff"])
def test_a_manifest_that_is_lost_or_damaged_is_made_again_from_the_bars(store, content):
    store.append("AAA", "1d", daily(), source="test")
    before = store.spans()
    manifest = store.folder / "bars/1d/AAA" / MANIFEST
    manifest.unlink() if content is None else manifest.write_bytes(content)
    assert store.spans() == before
    store.append("AAA", "1d", daily(), source="test")
    assert b"2014.parquet" in manifest.read_bytes()


def test_a_manifest_is_never_trusted_over_the_files(store):
    store.append("AAA", "1d", daily(date(2013, 12, 30), a_walk(10)), source="test")
    (store.folder / "bars/1d/AAA/2014.parquet").unlink()
    assert [span.rows for span in store.spans()] == [2]
    assert store.damaged_parts("AAA", "1d") == (
        f"{store.folder}/bars/1d/AAA/2014.parquet: missing, the manifest names it",
    )
    store.rebuild("AAA", "1d")
    assert store.damaged_parts("AAA", "1d") == ()


def test_a_part_that_somebody_else_wrote_is_told_by_its_checksum(store, tmp_path):
    store.append("AAA", "1d", daily(), source="test")
    other = BarStore(tmp_path / "other")
    other.append("AAA", "1d", daily(closes=(10.0, 11.0, 12.5)), source="test")
    part = "bars/1d/AAA/2014.parquet"
    (store.folder / part).write_bytes((other.folder / part).read_bytes())
    (fault,) = store.damaged_parts("AAA", "1d")
    assert "checksum differs from the manifest's" in fault


def test_half_a_file_is_one_line_and_the_others_are_read(store):
    store.append("AAA", "1d", daily(), source="test")
    store.append("BBB", "1d", daily(), source="test")
    part = store.folder / "bars/1d/AAA/2014.parquet"
    part.write_bytes(part.read_bytes()[:500])
    with pytest.raises(DataError, match=r"2014\.parquet: unreadable"):
        store.read(["AAA"], "1d")
    with pytest.raises(DataError, match=r"2014\.parquet: unreadable"):
        store.append("AAA", "1d", daily(), source="test")
    assert closes(store, "BBB") == [10.0, 11.0, 12.0]


def test_a_second_writer_of_a_series_is_refused_and_others_are_not(store):
    store.append("AAA", "1d", daily(), source="test")
    with only_writer(store.folder / "bars/1d/AAA"):
        with pytest.raises(Refused, match="another process writes here"):
            store.append("AAA", "1d", daily(closes=(10.0, 11.0, 12.0, 13.0)), source="test")
        store.append("BBB", "1d", daily(), source="test")
    assert len(store.read(None, "1d")) == 3


def test_what_is_not_there_is_not_found(store):
    with pytest.raises(NotFound, match="no 1d bars of AAA from the first day to the last"):
        store.read(["AAA"], "1d")


def test_a_time_without_a_zone_is_no_point_in_time(store):
    with pytest.raises(DataError, match="has no time zone"):
        store.read(["AAA"], "1d", as_of=datetime(2014, 6, 3))  # noqa: DTZ001 - that is the fault


def test_minutes_survive_the_way_to_the_disk_to_the_nanosecond_of_their_start(store):
    start = int(datetime(2014, 6, 2, 13, 30, tzinfo=UTC).timestamp()) * 10**9
    bars = bars_at(start + MINUTE_NS * np.arange(390), a_walk(390))
    store.append("AAA", "1m", bars, source="test")
    panel = store.read(["AAA"], "1m")
    assert np.array_equal(panel.opened_at, bars.opened_at)
    assert np.array_equal(panel.closed_at, bars.opened_at + MINUTE_NS)
