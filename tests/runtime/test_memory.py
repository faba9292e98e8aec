"""A strategy whose memory is of other code or parameters begins anew; the daemon starts, and knows what it holds."""

import pytest
from structlog.testing import capture_logs

from daemon.engine.assembly import build_engine
from daemon.runtime.journal_files import snapshot_fault
from daemon.runtime.last_known import last_known, position_lines
from daemon.runtime.recovery import recover
from shared.events import PricesRescaled
from shared.io.journal import Journal, JournalReader
from shared.io.journal_audit import audit_run, config_of
from tests.runtime.builders import a_config, a_morning, a_run, at, bars, journalled

EVENTS = a_morning()
HELD = EVENTS[:11]  # until the entry is filled
OWN = """
import numpy as np

from shared.indicators.sma import Sma
from strategies.base import Strategy


class Own(Strategy):
    def __init__(self, universe):
        super().__init__(universe)
        self.fast, self.slow = Sma(len(universe), 2), Sma(len(universe), 3)
        self.seen = 0

    def on_row(self, row, _closed_at, /):
        fast, slow = self.fast.update(row.close), self.slow.update(row.close)
        self.seen += 1
        return [self.signal(i, 1.0 if fast[i] > slow[i] else 0.0, "own") for i in np.flatnonzero(fast != slow)
                if not np.isnan(slow[i])]
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


def own_config(folder, old="", new=""):
    """A strategy of a file in which a piece of the text is another."""
    assert old in OWN
    (folder / "own.py").write_text(OWN.replace(old, new) if old else OWN)
    desk = a_config(folder).model_dump(by_alias=True)["strategy"][0]
    return a_config(folder, strategy=[{**desk, "kind": "own.py", "params": {}}])


def recovered(path, config, code_version="newer"):
    with JournalReader.open(path) as journal, capture_logs() as lines:
        engine = recover(journal, config, build_engine, code_version)
    return engine, [line for line in lines if line["event"] == "memory_began_anew"]


def remembered(engine):
    """What the one strategy keeps."""
    return engine.desks["sma"].snapshot()


def shown(config, events):
    """What the strategy keeps in an engine that was shown these events alone."""
    engine = build_engine(config)
    for event in events:
        engine.handle(event)
    return remembered(engine)


ROWS = [bars(minute, price, warm_up=True) for minute, price in enumerate([165.0, 164.0, 163.0, 164.0, 166.0], start=1)]


@pytest.mark.parametrize("snapshot_after", [None, 4, 7, len(HELD)], ids=["the start", "no row", "a row", "the end"])
def test_after_an_edit_of_the_strategy_the_daemon_starts_holds_what_it_held_and_remembers_the_journals_rows(
    path, tmp_path, snapshot_after
):
    alive, _ = journalled(path, own_config(tmp_path), HELD, snapshot_after=snapshot_after)
    changed = own_config(tmp_path, "self.seen += 1", "self.seen += 2")
    engine, lines = recovered(path, changed)
    assert engine.book.positions() == alive.book.positions()
    assert engine.book.orders.keys() == alive.book.orders.keys()
    assert remembered(engine) == shown(changed, ROWS)
    (line,) = lines
    assert "strategy sma: snapshot of strategy Own: kept by other code" in line["text"]


def test_no_order_comes_of_the_rows_that_a_strategy_is_shown_again(path, tmp_path):
    journalled(path, own_config(tmp_path), EVENTS[:8], snapshot_after=8)  # one row before the entry
    engine, (line,) = recovered(path, own_config(tmp_path, "self.seen += 1", "self.seen += 2"))
    assert "journal's last 4 rows" in line["text"]
    assert not engine.book.orders
    assert not engine.book.plans


def test_a_memory_of_the_same_code_is_taken_without_a_word(path, tmp_path):
    alive, _ = journalled(path, own_config(tmp_path), EVENTS, snapshot_after=7)
    engine, lines = recovered(path, own_config(tmp_path))
    assert engine.snapshot() == alive.snapshot()
    assert not lines


def test_other_parameters_begin_anew_instead_of_stopping_the_start(path, tmp_path):
    alive, _ = journalled(path, a_config(tmp_path), HELD, snapshot_after=len(HELD))
    desk = a_config(tmp_path).model_dump(by_alias=True)["strategy"][0]
    slower = a_config(tmp_path, strategy=[{**desk, "params": {"fast": 2, "slow": 4}}])
    engine, (line,) = recovered(path, slower, code_version="test")
    assert engine.book.positions() == alive.book.positions()
    assert remembered(engine) == shown(slower, ROWS)
    assert "params is {'fast': 2, 'slow': 3}, allowed: {'fast': 2, 'slow': 4}" in line["text"]


def test_ranges_of_another_period_begin_anew(path, tmp_path):
    desk = a_config(tmp_path).model_dump(by_alias=True)["strategy"][0]

    def ranged(period):
        exits = {"method": "atr", "atr_period": period, "stop_atr": 2.0, "target_atr": 3.0}
        return a_config(tmp_path, strategy=[{**desk, "exits": exits}])

    journalled(path, ranged(2), HELD, snapshot_after=len(HELD))
    engine, lines = recovered(path, ranged(3), code_version="test")
    assert remembered(engine) == shown(ranged(3), ROWS)
    assert len(lines) == 1


def test_a_split_between_the_rows_is_shown_too(path, tmp_path):
    split = PricesRescaled(received_at=at(310), symbol="SPY", ratio=2.0, ex_date=at(0).date(), changes_shares=False)
    journalled(path, own_config(tmp_path), [*EVENTS[:9], split, bars(6, 83.0)], snapshot_after=11)
    changed = own_config(tmp_path, "self.seen += 1", "self.seen += 2")
    engine, (line,) = recovered(path, changed)
    assert "journal's last 6 rows" in line["text"]
    assert remembered(engine) == shown(changed, [*ROWS, split, bars(6, 83.0, warm_up=True)])


def test_no_more_rows_are_shown_than_a_cold_start_asks_for(path, tmp_path):
    rows = [bars(minute, 160.0 + minute % 7) for minute in range(1, 1502)]
    config = own_config(tmp_path)
    with Journal.create(path, "paper") as journal:
        engine = build_engine(config)
        journal.start_run(a_run(config), engine.snapshot())
        journal.append_all([(row, engine.handle(row)) for row in rows])
        journal.write_snapshot(engine.snapshot())
    _, (line,) = recovered(path, own_config(tmp_path, "self.seen += 1", "self.seen += 2"))
    assert "journal's last 1440 rows" in line["text"]  # a day of minutes, which is more than bars.warm_up


def test_what_is_held_can_be_read_and_the_journal_is_whole_after_an_edit_of_the_strategy(path, tmp_path):
    journalled(path, own_config(tmp_path), EVENTS, snapshot_after=9)
    own_config(tmp_path, "self.seen += 1", "self.seen += 2")
    with JournalReader.open(path) as journal:
        (held,) = position_lines(last_known(journal))
        snapshot = journal.last_snapshot()
        assert snapshot is not None
        assert snapshot_fault(journal.run("r1"), snapshot) is None
        assert config_of(journal.run("r1")).strategies[0].kind == "own.py"
    assert (held.symbol, held.quantity) == ("SPY", 10)


def test_an_audit_of_a_run_that_other_code_wrote_says_so_instead_of_comparing_with_a_strange_memory(path, tmp_path):
    journalled(path, own_config(tmp_path), EVENTS)
    own_config(tmp_path, "self.seen += 1", "self.seen += 2")
    with JournalReader.open(path) as journal:
        verdict = audit_run(journal, journal.run("r1"), build_engine)
    assert not verdict.identical
    assert verdict.first_difference is not None
    assert verdict.first_difference.startswith(
        "the state it starts from: strategy sma: snapshot of strategy Own: kept by"
    )
