"""`openbell demo`: a synthetic session from open to close by the real commands, as processes of their own."""

from __future__ import annotations

import re
import select
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from msgspec import json as msgspec_json

from daemon.runtime.clock import stopwatch_s
from daemon.runtime.lifecycle import journal_path, log_path
from daemon.runtime.status import heartbeat_line, last_heartbeats
from shared.config import Config, load_config
from shared.errors import BrokerUnavailable, Refused
from shared.io.bar_store import save_bars
from shared.io.journal import JournalReader
from shared.io.journal_bars import bars_of
from shared.sessions import session_at_or_after

ROOT = Path(__file__).resolve().parents[2]
GATEWAY_STARTS_WITHIN_S = 60.0
CHILD_ENDS_WITHIN_S = 20.0
PROGRESS_EVERY_S = 5.0
LAST_WORDS = 10


def run_demo(*, seed: int, speed: float, directory: Path | None) -> int:
    """The whole demonstration; 0 if every command succeeded and no position is unprotected, else 1."""
    started = stopwatch_s()
    folder = _fresh_folder(directory)
    shipped = load_config(ROOT / "config.toml")
    symbols = ",".join(shipped.universe.symbols)
    ledger = folder / "ledger.jsonl"
    _say(f"demo: {symbols} with seed {seed}, {speed:g} market seconds a second, in {folder}")
    market = ["--synthetic", "--seed", str(seed), "--symbols", symbols, "--speed", f"{speed:g}"]
    with ExitStack() as children:
        talk = children.enter_context((folder / "talk.log").open("w+", encoding="utf-8"))
        told = ["--port", "0", "--wait-for-client", "--ledger", str(ledger)]
        gateway = _start(children, "gateway", *market, *told, stdout=subprocess.PIPE, stderr=talk)
        config = _write_config(folder, _port_of(gateway))
        daemon = _start(children, "run", "--config", str(config), "--until-close", stderr=talk)
        codes = [_follow(daemon, config, talk)]
        codes.append(_start(children, "audit", "--config", str(config)).wait())
        settings, bars, report = load_config(config), folder / "session.parquet", folder / "report"
        with JournalReader.open(journal_path(settings)) as journal:
            panel = bars_of(journal, settings.universe.symbols, settings.bars.interval_s)
        save_bars(bars, panel)
        closed_at = datetime.fromtimestamp(int(panel.closed_at[-1]) / 1e9, UTC)
        session = session_at_or_after(settings.session.calendar, closed_at - timedelta(seconds=1)).session
        what = ["--data", str(bars), "--from", f"{session}", "--out", str(report)]
        codes.append(_start(children, "replay", "--config", str(config), *what).wait())
    bare = unprotected(ledger)
    _show_places(settings, {"bars": bars, "report": report, "ledger": ledger})
    _print(f"unprotected positions: {len(bare)}" + (f" ({', '.join(bare)})" if bare else ""))
    _say(f"demo: took {stopwatch_s() - started:.0f} s")
    return 1 if bare or any(codes) else 0


def unprotected(ledger: Path) -> list[str]:
    """Symbols whose position in the gateway's own ledger is not wholly covered by working stop orders."""
    held: defaultdict[str, float] = defaultdict(float)
    working: dict[int, dict[str, object]] = {}
    filled: defaultdict[int, float] = defaultdict(float)
    for line in ledger.read_bytes().splitlines():
        record = msgspec_json.decode(line)
        match record["type"]:
            case "order":
                working[record["perm_id"]] = record
            case "ended":
                working.pop(record["perm_id"], None)
            case "execution":
                held[record["symbol"]] += record["quantity"] * (1 if record["side"] == "BUY" else -1)
                filled[record["perm_id"]] += record["quantity"]
    return [symbol for symbol, quantity in held.items() if _bare(symbol, quantity, working, filled)]


def _bare(symbol: str, quantity: float, working: dict[int, dict[str, object]], filled: dict[int, float]) -> bool:
    side = "SELL" if quantity > 0 else "BUY"
    stops = [
        float(str(order["quantity"])) - filled.get(perm_id, 0.0)
        for perm_id, order in working.items()
        if (order["symbol"], order["side"], order["order_type"]) == (symbol, side, "STP")
    ]
    return sum(stops) < abs(quantity)


def _fresh_folder(directory: Path | None) -> Path:
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="openbell-demo-"))
    if directory.exists() and any(directory.iterdir()):
        raise Refused(f"--dir {directory}: is not empty, the demo wants a new folder")
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


def _write_config(folder: Path, port: int) -> Path:
    """The shipped configuration with the demo's gateway and a faster pulse; paths start at the folder."""
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    changes = {
        "mode": '"paper"',
        "account": '""',
        "state_dir": '"state"',
        "log_dir": '"logs"',
        "host": '"127.0.0.1"',
        "port": str(port),
        "follow_gateway_clock": "true",
        "heartbeat_every_s": "2",
        "reconcile_every_s": "5",
        "account_age_max_s": "23_400",  # a report a second is one in ten minutes of this market
    }
    for key, value in changes.items():
        text, found = re.subn(rf"(?m)^{key} = [^#\n]*", f"{key} = {value} ", text, count=1)
        assert found, f"config.toml has no key {key}"
    target = folder / "config.toml"
    target.write_text(text, encoding="utf-8")
    return target


def _start(
    children: ExitStack, *command: str, stdout: int | None = None, stderr: TextIO | None = None
) -> subprocess.Popen[str]:
    """Start `openbell COMMAND`; when `children` closes it is stopped, the last one first."""
    child = subprocess.Popen(  # noqa: S603 - our own command line
        [sys.executable, "-m", "openbell", *command],
        stdout=stdout,
        stderr=stderr,
        text=True,
        cwd=ROOT,
        start_new_session=True,  # Ctrl-C reaches us alone, and we stop the daemon before its gateway
    )
    children.callback(_stop, child)
    return child


def _stop(child: subprocess.Popen[str]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(CHILD_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _follow(daemon: subprocess.Popen[str], config: Path, talk: TextIO) -> int:
    """Show a heartbeat every few seconds until the daemon ends; its exit code, with its last words if bad."""
    log_file = log_path(load_config(config))
    while True:
        try:
            code = daemon.wait(PROGRESS_EVERY_S)
        except subprocess.TimeoutExpired:
            for beat in last_heartbeats(log_file, 1):
                _say(heartbeat_line(beat))
        else:
            if code:
                talk.seek(0)
                _say("".join(talk.readlines()[-LAST_WORDS:]))
            return code


def _port_of(gateway: subprocess.Popen[str]) -> int:
    """The port the gateway says it listens on.

    Raises:
        BrokerUnavailable: it ended, or said nothing in time.
    """
    assert gateway.stdout is not None
    ready, _, _ = select.select([gateway.stdout], [], [], GATEWAY_STARTS_WITHIN_S)
    line = gateway.stdout.readline() if ready else ""
    found = re.search(r"127\.0\.0\.1:(\d+)", line)
    if found is None:
        raise BrokerUnavailable(f"demo: the gateway did not start (it said {line.strip()!r})")
    return int(found[1])


def _show_places(config: Config, others: dict[str, Path]) -> None:
    places = {"journal": journal_path(config), "log": log_path(config), **others}
    places["picture"] = others["report"] / "replay.png"
    for name, place in places.items():
        _print(f"{name:<10}{place}{'' if place.exists() else '  (MISSING)'}")


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
