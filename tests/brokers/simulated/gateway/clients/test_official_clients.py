"""IB's own client packages, where an interpreter with one of them is named; their licence keeps them out of our lock.

python3.11 -m venv /tmp/official && /tmp/official/bin/pip install ibapi-latest
OPENBELL_IBAPI_PYTHON=/tmp/official/bin/python make test
"""

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.brokers.simulated.gateway.test_cli import fact, start

PYTHON = os.environ.get("OPENBELL_IBAPI_PYTHON")
SCRIPT = Path(__file__).with_name("official_client.py")
HARMLESS = {2104, 2106, 2158, 2199, 10167, 202, 399, 162}
"""Notices, the end of a cancelled order and of a cancelled history; what never came is in the errors with code 0."""
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(PYTHON is None, reason="OPENBELL_IBAPI_PYTHON names no interpreter with an ibapi package"),
]


async def test_the_official_client_finds_every_answer_and_trades():
    gateway = await start("--synthetic", "--symbols", "SPY,AAPL", "--port", "0", "--speed", "60", "--json")
    port = (await fact(gateway))["port"]
    assert PYTHON is not None
    client = await asyncio.create_subprocess_exec(PYTHON, SCRIPT, str(port), stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(client.communicate(), 120)
    gateway.terminate()
    await asyncio.wait_for(gateway.communicate(), 30)
    told = json.loads(out)
    assert told["still_connected"]
    assert [error for error in told["errors"] if not HARMLESS & {part for part in error if isinstance(part, int)}] == []
    assert [side for side, _, _ in told["fills"]][:1] == ["BOT"]
    assert {"Filled", "Submitted", "PreSubmitted", "Cancelled"} <= {status for _, status in told["statuses"]}
