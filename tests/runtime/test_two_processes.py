"""The real gateway and the real daemon as processes on a recorded session, with a SIGKILL in the middle."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from daemon.runtime.demo import unprotected
from shared.errors import OpenbellError
from shared.events import BrokerReported, OrderFilled
from shared.io.journal import JournalReader
from shared.messages import decode_event
from tests.runtime.ledger_oracle import bare_spans

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT.parent / "shared" / "data" / "intraday"
pytestmark = [
    pytest.mark.process,
    pytest.mark.recorded,
    pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded market data is not here"),
]
CHANGES = {
    r'symbols = \["SPY", .*\]': 'symbols = ["SPY", "IBM"]',
    r"heartbeat_every_s = \d+": "heartbeat_every_s = 1",
    r"reconcile_every_s = \d+": "reconcile_every_s = 2",
    r"top = 3": "top = 1",
}


def start(*arguments, **streams):
    command = [sys.executable, "-m", "openbell", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **streams)


def configured(folder, port):
    text = (ROOT / "config.toml").read_text().replace("port = 4010", f"port = {port}")
    for pattern, replacement in CHANGES.items():
        text = re.sub(pattern, replacement, text)
    path = folder / "config.toml"
    path.write_text(text)
    return path


@pytest.fixture
def gateway(tmp_path):
    recorded = ("--data", RECORDED, "--session", "2013-10-08", "--symbols", "SPY,IBM")
    how = ("--port", 0, "--speed", 600, "--wait-for-client", "--ledger", tmp_path / "ledger.jsonl")
    process = start("gateway", *recorded, *how, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    yield process
    process.terminate()
    process.wait(20)
    process.stdout.close()


def fills_in(journal_file):
    """Executions the journal holds, by id; none while there is no journal yet."""
    try:
        with JournalReader.open(journal_file) as journal:
            events = [decode_event(payload) for payload in journal.events_of_kind("OrderFilled")]
            reports = [decode_event(payload) for payload in journal.events_of_kind("BrokerReported")]
    except OpenbellError:
        return {}
    live = [event.fill for event in events if isinstance(event, OrderFilled)]
    told = [fill for report in reports if isinstance(report, BrokerReported) for fill in report.fills]
    return {fill.exec_id: fill for fill in (*live, *told)}


def wait_for(holds, within_s):
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.02)


def test_killed_in_mid_session_and_started_again_nothing_is_lost_doubled_or_left_unprotected(tmp_path, gateway):
    listening = gateway.stdout.readline()
    config = configured(tmp_path, listening.split("127.0.0.1:")[1].split()[0])
    journal_file = tmp_path / "state" / "paper" / "journal.sqlite"
    with (tmp_path / "talk.log").open("w") as talk:
        first = start("run", "--config", config, "--until-close", stdout=talk, stderr=talk)
        wait_for(lambda: len(fills_in(journal_file)) >= 8, 60)
        first.send_signal(signal.SIGKILL)
        first.wait(10)
        second = start("run", "--config", config, "--until-close", stdout=subprocess.PIPE, stderr=talk)
        summary, _ = second.communicate(timeout=150)
    talked = (tmp_path / "talk.log").read_text()[-3000:]
    assert second.returncode == 0, talked
    assert summary.endswith("unprotected positions: 0\n")
    gateway.terminate()
    gateway.wait(20)
    ledger = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    executions = {record["exec_id"]: record for record in ledger if record["type"] == "execution"}
    booked = fills_in(journal_file)
    assert {key: (fill.symbol, fill.quantity, fill.price) for key, fill in booked.items()} == {
        key: (record["symbol"], record["quantity"], record["price"]) for key, record in executions.items()
    }
    perm_ids: dict[str, set[int]] = {}
    for record in ledger:
        if record["type"] == "order":
            perm_ids.setdefault(record["order_ref"], set()).add(record["perm_id"])
    assert {ref: ids for ref, ids in perm_ids.items() if len(ids) > 1} == {}
    assert {fill.side for fill in booked.values()} == {"BUY", "SELL"}
    assert unprotected(tmp_path / "ledger.jsonl") == []
    assert bare_spans(ledger) == []
    audit = start("audit", "--config", config, stdout=subprocess.PIPE)
    assert audit.communicate(timeout=60)[0].startswith("audit: identical (")
