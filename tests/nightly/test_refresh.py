"""`[nightly] refresh`: the night fetches what its backtest needs, and goes by the bars of the store."""

from datetime import date

from research.ingest.nightly_work import refresh_work
from research.nightly.bars import bars_from, bars_hash
from research.nightly.night import night_of
from research.nightly.sequence import Way, carry_out
from research.nightly.steps import Outside, steps_of
from shared.config import load_config
from shared.errors import DataError
from tests.experiments.builders import days
from tests.experiments.test_cli import DAILY
from tests.ingest_sources.test_fetching import Scripted
from tests.runtime.builders import CLOSE

SESSIONS = [day for day in days(400, date(2012, 6, 1)) if day <= CLOSE.date()]


def a_night(folder, *, refresh="alpaca", sessions=40):
    path = folder / "config.toml"
    path.write_text(f'{DAILY}\n[nightly]\nrefresh = "{refresh}"\nsessions = {sessions}\n')
    return night_of(load_config(path), CLOSE.date(), CLOSE, None)


def a_source(**changes):
    return Scripted(days=SESSIONS, now=CLOSE.replace(hour=23), days_each=1_000, **changes)


class Deaf(Scripted):
    """Knows no symbol."""

    def chunks(self, wanted):
        raise DataError(f"{wanted.symbol}: 404, no such symbol")


def carried_out(night, source):
    work = refresh_work(night.config, {"alpaca": lambda _config, _folder, _clock: source})
    way = Way(now=lambda: CLOSE, say=lambda _line: None)
    return carry_out(night, steps_of(Outside(tell=lambda _config, _line: "sent", refresh=work)), way)


def test_the_bars_of_the_night_are_fetched_stored_and_replayed(tmp_path):
    night, source = a_night(tmp_path), a_source()
    records = carried_out(night, source)
    assert source.asked == [("SPY", bars_from(night), CLOSE.date())]
    assert records["refresh"].said.startswith("scripted: 1 symbols: 1 stored;")
    assert records["replay"].status == "done", records["replay"].said
    assert records["plan"].status == "done"
    assert "40 sessions from" in records["replay"].said


def test_the_same_night_again_fetches_nothing_and_the_next_only_what_is_new(tmp_path):
    night, source = a_night(tmp_path), a_source()
    carried_out(night, source)
    before = bars_hash(night)
    again = a_source()
    carried_out(night, again)
    assert (again.asked, bars_hash(night)) == ([], before)


def test_a_symbol_that_is_not_had_fails_the_step_and_there_is_no_plan(tmp_path):
    records = carried_out(a_night(tmp_path), Deaf(now=CLOSE.replace(hour=23)))
    statuses = {name: records[name].status for name in ("refresh", "replay", "plan")}
    assert statuses == {"refresh": "failed", "replay": "blocked", "plan": "blocked"}
    assert "SPY: failed: SPY: 404, no such symbol" in records["refresh"].said


def test_a_source_that_has_not_the_session_yet_fails_the_step_and_is_asked_again_by_the_next_run(tmp_path):
    night = a_night(tmp_path)
    late = Scripted(days=SESSIONS[:-1], now=CLOSE.replace(hour=23), days_each=1_000)
    records = carried_out(night, late)
    statuses = {name: records[name].status for name in ("refresh", "replay", "plan")}
    assert statuses == {"refresh": "failed", "replay": "blocked", "plan": "blocked"}
    assert "the last bar closed at 2013-10-07" in records["refresh"].said
    again = a_source()
    records = carried_out(night, again)
    assert [asked[2] for asked in again.asked] == [CLOSE.date()]
    assert {records[name].status for name in ("refresh", "replay", "plan")} == {"done"}


def test_other_keys_are_another_refresh(tmp_path):
    carried_out(a_night(tmp_path, sessions=20), a_source())
    more = a_source()
    carried_out(a_night(tmp_path, sessions=40), more)
    assert more.asked != []


def test_without_the_key_there_is_no_work_to_do(tmp_path):
    assert refresh_work(a_night(tmp_path, refresh="").config) is None
