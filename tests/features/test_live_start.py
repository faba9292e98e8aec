"""A live start that goes on from the stored bars decides what the replay over all of them decides, bit for bit."""

import hashlib

import msgspec
import numpy as np
import pytest

from daemon.engine.assembly import build_engine
from daemon.runtime.lifecycle import journal_path
from daemon.runtime.recovery import recover
from daemon.runtime.version import code_version
from shared.commands import PlaceBracket
from shared.events import ConnectionLost, ConnectionRestored
from shared.io.journal import JournalReader
from shared.io.journal_audit import audit_run
from shared.io.journal_export import Exporter, line
from shared.io.warm_start import WARM_START_FILE, read_warm_start, sealed
from tests.features.builders import first_days
from tests.features.live_day import (
    EMA_AND_RSI,
    LIVE_MINUTES,
    PER_SESSION,
    STORED,
    a_desk,
    a_walk_of_minutes,
    ended,
    history_of,
    live_config,
    lived,
    replayed,
    store,
    stored_part,
)
from tests.runtime.builders import at, eventually

EMA = {"kind": "ema_and_rsi.py", "params": {}}
CASES = [pytest.param({}, 1, id="kalman_trend"), pytest.param(EMA, 148, id="ema and rsi")]
"""Of each a walk on which a start from the last 70 rows decides otherwise than the whole history."""


@pytest.fixture
def begun(tmp_path):
    """A configuration, its bars stored, and the day that is lived."""

    def begin(changes=None, seed=1, start="stored"):
        (tmp_path / "ema_and_rsi.py").write_text(EMA_AND_RSI)
        config, panel = live_config(tmp_path, start, **(changes or {})), a_walk_of_minutes(seed)
        store(config, stored_part(panel))
        return config, panel

    return begin


def memory_of(engine):
    return msgspec.structs.astuple(engine.desks["k"].snapshot())


def warned(config):
    """The notices about the start, as the log has them."""
    lines = (config.base_dir / config.log_dir / "openbell-paper.jsonl").read_text().splitlines()
    return [entry["text"] for entry in map(msgspec.json.decode, lines) if entry["event"].startswith("warm_start")]


async def decided(config, panel, **parts):
    """What the first live row leads to: the engine's memory, its views, the entries sent."""
    run, work = await lived(config, panel, **parts)
    found = memory_of(run.daemon.engine), run.book.convictions["k"]["SPY"]
    sent = [each.bracket.entry.symbol for each in run.market.sent if isinstance(each, PlaceBracket)]
    await ended(run, work)
    return *found, sent


@pytest.mark.parametrize(("changes", "seed"), CASES)
async def test_the_first_live_decision_is_that_of_the_replay_over_the_whole_history(begun, changes, seed):
    config, panel = begun(changes, seed)
    memory, view, sent = await decided(config, panel)
    whole = replayed(config, first_days(panel, STORED + 1))
    assert memory == memory_of(whole)
    assert view == whole.book.convictions["k"]["SPY"] == 1.0
    assert "SPY" in sent
    assert warned(config) == ["strategies go on from the stored bars up to 2013-10-07 20:00 UTC"]


@pytest.mark.parametrize(("changes", "seed"), CASES)
async def test_a_start_from_the_rows_of_the_history_alone_decides_otherwise(begun, changes, seed):
    config, panel = begun(changes, seed, start="rows")
    memory, view, sent = await decided(config, panel)
    assert memory != memory_of(replayed(config, first_days(panel, STORED + 1)))
    assert view == 0.0
    assert "SPY" not in sent
    assert warned(config) == []


async def test_every_later_row_finds_the_memory_of_the_replay_too(begun):
    config, panel = begun()
    memory, *_ = await decided(config, panel, minutes=LIVE_MINUTES)
    assert memory == memory_of(replayed(config, panel))


async def test_the_history_is_asked_for_back_to_the_stored_row(begun):
    config, panel = begun()
    run, work = await lived(config, panel, minutes=0)
    await ended(run, work)
    _, bars, _ = run.market.history_asked[0]
    assert bars >= 1051  # minutes from the stored close at 20:00 to the open at 13:30, and the stored row itself


async def test_a_history_that_cannot_be_had_at_first_is_asked_for_again_and_the_state_is_taken_then(begun):
    config, panel = begun()
    run, work = await lived(config, panel, minutes=0, fails=["warm_up"])
    assert warned(config) == []
    run.market.callbacks.on_event(ConnectionLost(received_at=at(1), reason="test"))
    run.market.callbacks.on_event(ConnectionRestored(received_at=at(2), account_id=run.market.account))
    await eventually(lambda: len(warned(config)) == 1)
    await ended(run, work)
    assert warned(config) == ["strategies go on from the stored bars up to 2013-10-07 20:00 UTC"]


async def test_rows_that_are_newer_than_the_stored_ones_come_from_the_history(begun):
    config, panel = begun()
    (config.base_dir / "features" / WARM_START_FILE).unlink()
    store(config, first_days(panel, STORED - 10))
    memory, *_ = await decided(config, panel)
    assert memory == memory_of(replayed(config, first_days(panel, STORED + 1)))


async def test_a_restart_within_the_session_goes_on_from_its_journal(begun):
    config, panel = begun()
    run, work = await lived(config, panel, minutes=2)
    await ended(run, work)
    with JournalReader.open(journal_path(config)) as journal:
        engine = recover(journal, config, build_engine, code_version())
    assert memory_of(engine) == memory_of(replayed(config, first_days(panel, STORED + 2)))
    run, work = await lived(config, panel, minutes=0, begins=125)
    await ended(run, work)
    assert len(warned(config)) == 1


async def test_the_next_start_takes_what_the_night_has_made_of_the_day(begun):
    config, panel = begun(start="rows")
    run, work = await lived(config, panel, minutes=2)
    await ended(run, work)
    config = live_config(config.base_dir)
    store(config, first_days(panel, STORED + 2))
    run, work = await lived(config, panel, minutes=0, history=history_of(panel, until=STORED + 2), begins=125)
    assert memory_of(run.daemon.engine) == memory_of(replayed(config, first_days(panel, STORED + 2)))
    await ended(run, work)
    assert warned(config) == ["strategies go on from the stored bars up to 2013-10-08 13:32 UTC"]


async def test_the_journal_of_such_a_run_replays_to_the_same_commands(begun):
    config, panel = begun()
    run, work = await lived(config, panel, minutes=LIVE_MINUTES)
    await ended(run, work)
    with JournalReader.open(journal_path(config)) as journal:
        kinds = [record.kind for record in journal.records()]
        audit = audit_run(journal, journal.runs()[0], build_engine)
    assert kinds.count("StrategiesWarmed") == 1
    assert audit.identical, audit.first_difference


async def test_the_journal_tells_the_state_by_its_size_and_hash(begun):
    config, panel = begun()
    run, work = await lived(config, panel)
    await ended(run, work)
    start = read_warm_start(config.base_dir / "features" / WARM_START_FILE)
    with JournalReader.open(journal_path(config)) as journal:
        (record,) = [record for record in journal.records() if record.kind == "StrategiesWarmed"]
    facts = Exporter().record(record)
    told = f"{len(start.state)} bytes, SHA-256 {hashlib.sha256(start.state).hexdigest()}"
    assert isinstance(facts["event"], dict)
    assert facts["event"]["state"] == told
    assert line(facts).splitlines()[0].endswith(f"closed_at=2013-10-07T20:00:00Z state={told}")


# --- what is refused ----------------------------------------------------------------------------------------------


def changed(config, **changes):
    """Write the stored state again with other contents."""
    path = config.base_dir / "features" / WARM_START_FILE
    path.write_bytes(sealed(msgspec.structs.replace(read_warm_start(path), **changes)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": "0" * 64}, "was made by other code (000000000000, here is "),
        ({"bars": "0" * 64}, "was made from other bars than bars.json (000000000000, here is "),
        ({"state": b"nothing"}, "snapshot of the engine: 7 bytes that are none"),
        ({"format": "openbell.warm_start/0"}, "is of format openbell.warm_start/0, this release reads"),
    ],
)
async def test_a_state_of_another_making_is_refused_and_the_rows_are_taken(begun, changes, said):
    config, panel = begun()
    changed(config, **changes)
    memory, view, _ = await decided(config, panel)
    rows = live_config(config.base_dir / "rows", "rows")
    assert memory == (await decided(rows, panel))[0]
    assert view == 0.0
    (line,) = warned(config)
    assert said in line
    assert line.endswith("; the strategies start from the rows of the broker's history")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"params": {"warm": 60, "memory": 251}}, "was made with another strategy k;"),
        ({"exits": {**a_desk()["exits"], "atr_period": 15}}, "was made with another strategy k;"),
        ({"name": "other"}, "was made with another strategy other, another strategy k;"),
    ],
)
async def test_a_state_of_other_parameters_is_refused(begun, changes, said):
    config, panel = begun()
    other = live_config(config.base_dir, **changes)
    run, work = await lived(other, panel)
    await ended(run, work)
    (line,) = warned(other)
    assert said in line


@pytest.mark.parametrize(
    ("history", "said"),
    [
        ({"factor": 0.25}, "SPY at 97.39, the broker's history has 24.3475, allowed: within 2% of each other"),
        ({"rows": 0}, "which is not in the broker's history of 0 rows"),
        ({"until": STORED - 1}, "which is not in the broker's history of 70 rows"),
        ({"factor": float("nan")}, "and no close of it is in the broker's history"),
    ],
)
async def test_a_state_that_the_history_does_not_go_on_from_is_refused(begun, history, said):
    config, panel = begun()
    run, work = await lived(config, panel, history=history_of(panel, **history))
    await ended(run, work)
    (line,) = warned(config)
    assert said in line


async def test_a_state_with_a_flipped_byte_is_refused(begun):
    config, panel = begun()
    path = config.base_dir / "features" / WARM_START_FILE
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    run, work = await lived(config, panel)
    await ended(run, work)
    (line,) = warned(config)
    assert "does not match its checksum" in line


async def test_without_a_stored_state_the_run_says_so_and_starts(begun):
    config, panel = begun()
    (config.base_dir / "features" / WARM_START_FILE).unlink()
    run, work = await lived(config, panel)
    assert (await ended(run, work)).exit_code == 0
    (line,) = warned(config)
    assert "warm_start.msgpack: is not there; run: openbell features build" in line


# --- what a build keeps -------------------------------------------------------------------------------------------


def stored_state(config):
    return (config.base_dir / "features" / WARM_START_FILE).read_bytes()


def test_going_on_from_what_is_stored_gives_the_bytes_of_a_whole_build(tmp_path):
    panel = stored_part(a_walk_of_minutes(1))
    night, whole = live_config(tmp_path / "night"), live_config(tmp_path / "whole")
    assert store(night, first_days(panel, 500)).endswith("from 500 rows")
    assert store(night, panel).endswith("from 280 rows")
    assert store(whole, panel).endswith("from 780 rows")
    assert stored_state(night) == stored_state(whole)


def test_the_same_bars_again_change_nothing(tmp_path):
    panel = stored_part(a_walk_of_minutes(1))
    config = live_config(tmp_path)
    store(config, panel)
    before = stored_state(config)
    assert store(config, panel) == "warm start up to 2013-10-07 20:00 UTC kept"
    assert stored_state(config) == before


def test_a_changed_bar_of_the_past_begins_anew(tmp_path):
    panel = stored_part(a_walk_of_minutes(1))
    config = live_config(tmp_path)
    store(config, first_days(panel, 500))
    panel.close[40, 0] += 0.01
    assert store(config, panel).endswith("from 780 rows")


def test_splits_are_shown_as_a_replay_shows_them(tmp_path):
    panel = stored_part(a_walk_of_minutes(1))
    halved = np.where(np.arange(STORED) < PER_SESSION, 1.0, 2.0)
    for values in {id(each): each for each in (panel.open, panel.high, panel.low, panel.close)}.values():
        values[:, 0] = np.round(values[:, 0] / halved, 2)
    table = "symbol,ex_date,dividend_amount,split_coefficient\nSPY,2013-10-07,0,2\n"
    (tmp_path / "actions.csv").write_text(table)
    config = live_config(tmp_path)
    config = config.model_copy(update={"replay": config.replay.model_copy(update={"actions": "actions.csv"})})
    store(config, first_days(panel, 300))
    store(config, panel)
    engine = build_engine(config)
    engine.restore(read_warm_start(tmp_path / "features" / WARM_START_FILE).state)
    whole = replayed(config, panel)
    assert memory_of(engine) == memory_of(whole)
    assert engine.book.prices.last.tolist() == whole.book.prices.last.tolist()
    assert memory_of(engine) != memory_of(replayed(live_config(tmp_path), panel))
