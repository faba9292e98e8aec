"""The real daemon killed by SIGKILL at seeded moments again and again, over loopback, while the market goes on.

At the end the gateway's own ledger is the truth: the journal's executions are its executions, no order was sent twice,
every share was behind a stop, and the audit replays every run to the same commands.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from bench.gateway_process import ROOT, GatewayProcess
from bench.result import Comparison, Measured
from daemon.runtime.demo import unprotected
from daemon.runtime.journal_files import snapshot_fault
from daemon.runtime.last_known import last_known, position_lines
from shared.events import BrokerReported, OrderFilled
from shared.io.journal import JournalReader
from shared.io.journal_verify import verify
from shared.messages import decode_event
from tests.runtime.ledger_oracle import bare_spans, records_of

KILLS_ASKED, ALLOWED_S = 200, 900.0
SPEED = 120
"""Market seconds per second; a session is three and a quarter minutes, a kill is about six minutes of market time."""
SESSIONS_PER_KILL = 0.05
BARE_S_MAX = 5.0
SYMBOLS = "SPY,IBM,AAPL,TSLA"
START_S, ROW_S, ORDER_S = 2.0, 2.5, 0.05
_WITHIN_S = 30.0
_LAST_RUN_S = 400.0
_CHANGES = {
    r'symbols = \["SPY", .*\]': 'symbols = ["SPY", "IBM", "AAPL", "TSLA"]',
    r"heartbeat_every_s = \d+": "heartbeat_every_s = 1",
    r"reconcile_every_s = \d+": "reconcile_every_s = 2",
    r"snapshot_every_events = \d+": "snapshot_every_events = 50",
    r"account_age_max_s = \d+": "account_age_max_s = 23400",
    # A limit that latches would end the trading, and with it what the kills are to interrupt.
    r"max_losses_in_a_row = \d+": 'max_losses_in_a_row = "none"',
    r"max_unknown_orders = \d+": 'max_unknown_orders = "none"',
}


class Killed(Struct, frozen=True, kw_only=True):
    """What so many kills came to; `faults` empty = nothing lost, doubled or unprotected."""

    kills: Counter[str]
    took_s: float
    runs: int
    executions: int
    orders: int
    sessions: int
    unknowable: int
    longest_bare_s: float
    faults: tuple[str, ...]


def compare_kills(rounds: int, seed: int) -> Comparison:
    """Kill so many times; raises RuntimeError with every fault if there is one."""
    with tempfile.TemporaryDirectory(prefix="openbell-kills-") as folder:
        found = killed(Path(folder), rounds, seed)
    if found.faults:
        raise RuntimeError("\n".join(found.faults))
    moments = ", ".join(f"{count} {moment}" for moment, count in sorted(found.kills.items()))
    return Comparison(
        title=f"{rounds} SIGKILLs of `openbell run` over loopback, x{SPEED}, seed {seed}",
        measured=(
            Measured("kills", "", found.kills.total()),
            Measured("runs that began", "", found.runs),
            Measured("sessions traded", "", found.sessions),
            Measured("orders at the broker", "", found.orders),
            Measured("executions, all in the journal", "", found.executions - found.unknowable),
            Measured("executions of a day over before the next start, settled", "", found.unknowable),
            Measured("longest without a stop", "market s", found.longest_bare_s),
            Measured("took", "s", found.took_s),
        ),
        ratio=ALLOWED_S * rounds / KILLS_ASKED / found.took_s,
        ratio_says=f"times faster than the {ALLOWED_S:g} s that {KILLS_ASKED} may take",
        notes=(moments, "no order twice, audit identical, journal whole"),
    )


def killed(folder: Path, rounds: int, seed: int, speed: int = SPEED) -> Killed:
    """So many kills of one daemon against one gateway, a last run to the close, and what the ledger says."""
    ledger, chance = folder / "ledger.jsonl", random.Random(seed)
    market = ("--synthetic", "--seed", str(seed), "--symbols", SYMBOLS, "--speed", str(speed))
    sessions = max(2, round(rounds * SESSIONS_PER_KILL) + 2)
    told = ("--sessions", str(sessions), "--wait-for-client", "--ledger", str(ledger))
    began, kills = time.monotonic(), Counter[str]()
    with GatewayProcess(*market, *told) as gateway:
        config = _configured(folder, gateway.port)
        for _ in range(rounds):
            kills[_one_kill(folder, config, chance)] += 1
        faults = _run_to_the_close(folder, config)
    return _judged(folder, config, kills, time.monotonic() - began, faults)


def _one_kill(folder: Path, config: Path, chance: random.Random) -> str:
    """Start the daemon, kill it at a moment of a seeded kind, wait a little; the kind."""
    moment = chance.choices(["while it starts", "as an order is sent", "at work"], [1, 2, 2])[0]
    share, down_s = chance.random(), chance.random() * 0.3
    with _daemon(folder, config) as daemon:
        match moment:
            case "while it starts":
                time.sleep(share * START_S)
            case "as an order is sent":
                _wait_for_more(folder / "ledger.jsonl", b'"order"')
                time.sleep(share * ORDER_S)
            case _:
                _wait_for_more(folder / "logs" / "openbell-paper.jsonl", b'"reconciled"')
                time.sleep(share * ROW_S)
        ended = daemon.poll()
        if ended is not None:
            raise RuntimeError(f"the daemon ended by itself ({ended}): {_last_words(folder)}")
        daemon.kill()
    time.sleep(down_s)
    return moment


def _run_to_the_close(folder: Path, config: Path) -> list[str]:
    """The last run ends in good order with its session; what is wrong with how it ended."""
    with _daemon(folder, config, "--until-close") as daemon:
        code = daemon.wait(_LAST_RUN_S)
    return [f"the last run ended with {code}: {_last_words(folder)}"] if code else []


@contextmanager
def _daemon(folder: Path, config: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "talk.log").open("ab") as talk:
        command = [sys.executable, "-m", "openbell", "run", "--config", str(config), *more]
        daemon = subprocess.Popen(command, cwd=ROOT, stdout=talk, stderr=talk, start_new_session=True)
        try:
            yield daemon
        finally:
            daemon.kill()
            daemon.wait()


def _wait_for_more(path: Path, word: bytes) -> None:
    """Until a line with this word is added to the file; the market may be quiet, so not for ever."""
    seen, until = path.stat().st_size if path.exists() else 0, time.monotonic() + _WITHIN_S
    while time.monotonic() < until:
        if path.exists():
            with path.open("rb") as file:
                file.seek(seen)
                if word in file.read():
                    return
        time.sleep(0.005)


def _judged(folder: Path, config: Path, kills: Counter[str], took_s: float, faults: list[str]) -> Killed:
    ledger = records_of(folder / "ledger.jsonl")
    spans = bare_spans(ledger)
    with JournalReader.open(folder / "state" / "paper" / "journal.sqlite") as journal:
        runs = len(journal.runs())
        faults += [f"journal: {finding}" for finding in verify(journal, snapshot_fault).findings]
        of_executions, unknowable = _of_executions(journal, ledger)
        faults += [*of_executions, *_of_positions(journal, ledger)]
    faults += _of_orders(ledger)
    faults += [f"{symbol}: without a stop for {s:.1f} market seconds" for symbol, s in spans if s > BARE_S_MAX]
    faults += [f"{symbol}: unprotected at the end" for symbol in unprotected(folder / "ledger.jsonl")]
    audit = [sys.executable, "-m", "openbell", "audit", "--config", str(config)]
    said = subprocess.run(audit, cwd=ROOT, text=True, capture_output=True, check=False)
    faults += [] if said.stdout.startswith("audit: identical (") else [said.stdout + said.stderr]
    executions = [record for record in ledger if record["type"] == "execution"]
    return Killed(
        kills=kills,
        took_s=took_s,
        runs=runs,
        executions=len(executions),
        orders=len({record["perm_id"] for record in ledger if record["type"] == "order"}),
        sessions=len({int(record["at"] // 86_400) for record in executions}),
        unknowable=unknowable,
        longest_bare_s=max((s for _, s in spans), default=0.0),
        faults=tuple(faults),
    )


def _of_executions(journal: JournalReader, ledger: list[dict[str, Any]]) -> tuple[list[str], int]:
    """Where the journal's executions are not the ledger's; and how many of them nobody could know.

    The broker tells the executions of its day only. One that happened after a kill, with every start killed again until
    the day was over, is not told any more: the book is set to the broker's instead, which the positions show.
    """
    events = [decode_event(payload) for payload in journal.events_of_kind("OrderFilled")]
    answers = [decode_event(payload) for payload in journal.events_of_kind("BrokerReported")]
    reports = [event for event in answers if isinstance(event, BrokerReported)]
    live = [event.fill for event in events if isinstance(event, OrderFilled)]
    told = [fill for report in reports for fill in report.fills]
    booked = {fill.exec_id: (fill.symbol, float(fill.quantity), fill.price) for fill in (*live, *told)}
    done = {record["exec_id"]: record for record in ledger if record["type"] == "execution"}
    last_asked = {report.asked_at.date(): report.asked_at.timestamp() for report in reports}
    faults, unknowable = [], 0
    for exec_id in sorted(booked.keys() | done.keys()):
        record = done.get(exec_id)
        truth = record and (record["symbol"], record["quantity"], record["price"])
        if exec_id not in booked and record and last_asked.get(_day_of(record), 0.0) < record["at"]:
            unknowable += 1
        elif booked.get(exec_id) != truth:
            faults.append(f"execution {exec_id}: the journal has {booked.get(exec_id)}, the ledger {truth}")
    return faults, unknowable


def _day_of(record: dict[str, Any]) -> date:
    """The broker's day; it ends when New York sleeps, so UTC will do."""
    return datetime.fromtimestamp(record["at"], tz=UTC).date()


def _of_positions(journal: JournalReader, ledger: list[dict[str, Any]]) -> Iterator[str]:
    """Where the book after the last event holds other shares than the ledger."""
    held: Counter[str] = Counter()
    for record in ledger:
        if record["type"] == "execution":
            held[record["symbol"]] += round(record["quantity"]) * (1 if record["side"] == "BUY" else -1)
    believed = Counter({line.symbol: line.quantity for line in position_lines(last_known(journal))})
    for symbol in sorted(held.keys() | believed.keys()):
        if held[symbol] != believed[symbol]:
            yield f"{symbol}: the book holds {believed[symbol]}, the ledger {held[symbol]}"


def _of_orders(ledger: list[dict[str, Any]]) -> Iterator[str]:
    """Orders that came to the broker twice, or filled more than they were for."""
    perm_ids: defaultdict[object, set[object]] = defaultdict(set)
    for record in ledger:
        if record["type"] == "order":
            perm_ids[record["order_ref"]].add(record["perm_id"])
    yield from (f"{ref}: {len(ids)} orders at the broker" for ref, ids in perm_ids.items() if len(ids) > 1)
    exec_ids = Counter(record["exec_id"] for record in ledger if record["type"] == "execution")
    yield from (f"execution {exec_id}: {count} times in the ledger" for exec_id, count in exec_ids.items() if count > 1)


def _configured(folder: Path, port: int) -> Path:
    text = (ROOT / "config.toml").read_text(encoding="utf-8").replace("port = 4010", f"port = {port}")
    for pattern, replacement in _CHANGES.items():
        text, count = re.subn(pattern, replacement, text)
        if not count:
            raise RuntimeError(f"config.toml: nothing like {pattern}")
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _last_words(folder: Path) -> str:
    lines = (folder / "talk.log").read_text(encoding="utf-8").splitlines()
    return json.dumps(lines[-3:])
