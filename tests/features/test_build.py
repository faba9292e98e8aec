"""What is right stays, what is behind goes on from its state, the rest is computed: the bits of a whole build."""

import pytest
from pyarrow import parquet

from research.experiments.crew import crew_of
from research.features.asked import default_features
from research.features.build import Way, build
from research.features.parts import read_part
from research.features.reading import StoredFeatures
from shared.config_cluster import ClusterConfig
from shared.errors import DataError, Refused
from shared.indicators.feature_name import feature_of
from shared.indicators.registry import SPECS
from shared.io.bar_disk import only_writer
from shared.io.bar_store import load_bars, save_bars
from tests.experiments.builders import InProcess
from tests.features.builders import (
    NAMES,
    Stops,
    a_market,
    built,
    files_of,
    first_days,
    stored,
    streamed,
)

WITH_RANK = (*NAMES, "rank(rsi(14))", "winsorise(zscore(sma(20)), 0.1)")


@pytest.mark.parametrize("name", WITH_RANK)
def test_stored_features_are_the_streaming_ones_bit_for_bit(name, tmp_path):
    panel = a_market()
    built(panel, tmp_path, *WITH_RANK)
    assert stored(tmp_path, name).tobytes() == streamed(panel, name).tobytes()


def test_without_names_every_indicator_that_bars_can_feed_is_built(tmp_path):
    """A pattern's rules stood in its state as compiled code, which no disk takes: nothing was built at all."""
    done = built(a_market(40), tmp_path, *map(str, default_features()))
    assert (done.rebuilt, done.failed) == (len(SPECS) - 1, ())  # of mavp a bar knows no periods


@pytest.mark.parametrize("days", [1, 24, 25, 26, 50, 99, 159])
def test_going_on_from_stored_state_gives_the_bits_of_a_whole_build(days, tmp_path):
    panel = a_market()
    built(first_days(panel, days), tmp_path, *WITH_RANK)
    done = built(panel, tmp_path, *WITH_RANK)
    assert (done.kept, done.extended, done.rebuilt) == (0, len(NAMES), 0)
    assert [stored(tmp_path, name).tobytes() for name in WITH_RANK] == [
        streamed(panel, name).tobytes() for name in WITH_RANK
    ]


def test_night_after_night_gives_the_bits_of_a_whole_build(tmp_path):
    panel = a_market()
    done = [built(first_days(panel, days), tmp_path, "rsi(14)").extended for days in range(100, 161)]
    assert done == [0] + [1] * 60
    assert stored(tmp_path, "rsi(14)").tobytes() == streamed(panel, "rsi(14)").tobytes()
    assert 7 <= len(list(tmp_path.glob("rsi*/*.parquet"))) <= 7 + 2  # 160 rows are 7 whole parts


def test_a_night_writes_its_own_rows_and_not_those_of_before(tmp_path):
    panel = a_market()
    built(first_days(panel, 90), tmp_path, "rsi(14)", rows_per_part=100)
    (before,) = tmp_path.glob("rsi*/*.parquet")
    content, seen = before.read_bytes(), before.stat()
    built(first_days(panel, 91), tmp_path, "rsi(14)", rows_per_part=100)
    assert (before.read_bytes(), before.stat().st_mtime_ns) == (content, seen.st_mtime_ns)
    (added,) = set(tmp_path.glob("rsi*/*.parquet")) - {before}
    assert read_part(added, len(panel.symbols), 0, 1).tobytes() == streamed(panel, "rsi(14)")[90].tobytes()
    assert parquet.read_metadata(added).num_rows == len(panel.symbols)


def test_the_same_build_again_changes_no_file(tmp_path):
    built(a_market(), tmp_path)
    before = files_of(tmp_path)
    assert built(a_market(), tmp_path).kept == len(NAMES)
    assert files_of(tmp_path) == before


def test_a_changed_parameter_builds_just_that_feature(tmp_path):
    built(a_market(), tmp_path, "rsi(14)", "sma(20)")
    done = built(a_market(), tmp_path, "rsi(14)", "sma(21)")
    assert (done.kept, done.rebuilt) == (1, 1)


def test_a_changed_bar_of_the_past_builds_everything_anew(tmp_path):
    panel = a_market()
    built(first_days(panel, 100), tmp_path)
    panel.close[40, 2] += 0.01
    panel.high[40, 2] += 0.01
    assert built(panel, tmp_path).rebuilt == len(NAMES)
    assert stored(tmp_path, "rsi(14)").tobytes() == streamed(panel, "rsi(14)").tobytes()


def test_changed_code_builds_just_what_it_computes(tmp_path):
    built(a_market(), tmp_path)
    path = next(tmp_path.glob("rsi*")) / "features.json"
    record = path.read_text()
    code = record.split('"code": "')[1][:64]
    path.write_text(record.replace(code, "0" * 64))
    done = built(a_market(), tmp_path)
    assert (done.kept, done.rebuilt) == (len(NAMES) - 1, 1)


def test_a_build_that_is_broken_off_goes_on_where_it_was(tmp_path):
    panel = a_market()
    with pytest.raises(KeyboardInterrupt):
        built(panel, tmp_path, crew=Stops(after=2))
    done = built(panel, tmp_path)
    assert (done.kept, done.rebuilt) == (2, len(NAMES) - 2)


def test_anew_builds_what_is_right_too(tmp_path):
    built(a_market(), tmp_path)
    assert built(a_market(), tmp_path, anew=True).rebuilt == len(NAMES)


def test_a_damaged_state_fails_that_feature_alone_and_says_so(tmp_path):
    panel = a_market()
    built(first_days(panel, 100), tmp_path)
    next(next(tmp_path.glob("rsi*")).glob("state-*")).write_bytes(b"nothing")
    done = built(panel, tmp_path)
    assert done.extended == len(NAMES) - 1
    ((call, why),) = done.failed
    assert call == "rsi(14)"
    assert "that are none" in why
    assert stored(tmp_path, "sma(20)").tobytes() == streamed(panel, "sma(20)").tobytes()
    with pytest.raises(DataError, match=r"rsi\(14\) is 60 rows behind its bars, allowed: up to date"):
        stored(tmp_path, "rsi(14)")
    assert built(panel, tmp_path, anew=True).failed == ()


def test_two_builds_never_write_into_one_folder(tmp_path):
    with only_writer(tmp_path), pytest.raises(Refused, match="another process writes here"):
        built(a_market(), tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file.*: cannot be written"):
        built(a_market(), tmp_path / "file")


def test_a_day_of_all_features_is_a_row_of_each(tmp_path):
    panel = a_market()
    built(panel, tmp_path)
    features = [feature_of(name) for name in NAMES]
    day = StoredFeatures(tmp_path).day(77, features)
    assert day.tobytes() == b"".join(streamed(panel, name)[77].tobytes() for name in NAMES)


def test_bars_from_parquet_build_the_same_as_bars_from_memory(tmp_path):
    panel = a_market()
    save_bars(tmp_path / "bars.parquet", panel)
    built(panel, tmp_path / "features")
    assert built(load_bars(tmp_path / "bars.parquet"), tmp_path / "features").kept == len(NAMES)


class NobodyThere:
    """A crew that must not be asked."""

    def outcomes(self, work, panel, jobs):
        raise AssertionError(jobs)


def test_a_little_work_is_done_without_waiting_for_workers(tmp_path):
    panel = a_market()
    features = [feature_of(name) for name in NAMES]
    build(first_days(panel, 159), features, tmp_path, InProcess())
    done = build(panel, features, tmp_path, NobodyThere(), Way(here_cells=len(NAMES) * len(panel.symbols)))
    assert done.extended == len(NAMES)
    assert stored(tmp_path, "rsi(14)").tobytes() == streamed(panel, "rsi(14)").tobytes()
    build(panel, features, tmp_path, NobodyThere())
    with pytest.raises(AssertionError):
        build(panel, features, tmp_path, NobodyThere(), Way(anew=True, here_cells=100))


def test_processes_of_this_machine_build_the_same(tmp_path):
    panel = a_market()
    done = built(panel, tmp_path, crew=crew_of(ClusterConfig(workers=2)))
    assert done.rebuilt == len(NAMES)
    assert stored(tmp_path, "rsi(14)").tobytes() == streamed(panel, "rsi(14)").tobytes()
