"""A recorded session of two instruments from open to close at full speed, the whole daemon trading along."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.gateway_process import ROOT, GatewayProcess
from bench.result import Comparison, Measured

RECORDED = ROOT.parent / "shared" / "data" / "intraday"
ALLOWED_S = 10.0
SESSION_S = 6.5 * 3600
CHANGES = {
    r'symbols = \["SPY", .*\]': 'symbols = ["SPY", "IBM"]',
    r"heartbeat_every_s = \d+": "heartbeat_every_s = 2",
    r"reconcile_every_s = \d+": "reconcile_every_s = 5",
    r"account_age_max_s = \d+": "account_age_max_s = 23400",
    r"top = 3": "top = 1",
}


def compare_recorded_day() -> Comparison | None:
    """Wall seconds from the daemon's start to its end at the close; None where the recorded data is not here."""
    if not RECORDED.is_dir():
        return None
    what = ("--data", str(RECORDED), "--session", "2013-10-08", "--symbols", "SPY,IBM")
    how = ("--speed", "5000", "--wait-for-client")
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        ledger = folder / "ledger.jsonl"
        gateway = held.enter_context(GatewayProcess(*what, *how, "--ledger", str(ledger)))
        config = _configured(folder, gateway.port)
        command = [sys.executable, "-m", "openbell", "run", "--config", str(config), "--until-close"]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True)
        took = time.perf_counter() - started
        executions = sum(json.loads(line)["type"] == "execution" for line in ledger.read_text().splitlines())
    assert executions, "the daemon did not trade, so the figure says nothing"
    return Comparison(
        title="recorded session 2013-10-08, SPY and IBM, gateway and daemon in two processes, x5000",
        measured=(Measured("start of the daemon to its end", "s", took),),
        ratio=ALLOWED_S / took,
        ratio_says=f"times faster than the {ALLOWED_S:g} s it may take ({SESSION_S / took:,.0f} times real time)",
        notes=(f"{executions} executions", *done.stdout.splitlines()[-1:]),
    )


def _configured(folder: Path, port: int) -> Path:
    text = (ROOT / "config.toml").read_text(encoding="utf-8").replace("port = 4010", f"port = {port}")
    for pattern, replacement in CHANGES.items():
        text = re.sub(pattern, replacement, text)
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path
