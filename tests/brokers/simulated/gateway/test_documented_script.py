import asyncio
import re
import sys

import pytest

from tests.architecture.source import ROOT
from tests.brokers.simulated.gateway.test_cli import fact, start


@pytest.mark.process
async def test_the_script_in_the_docs_places_a_bracket():
    (script,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/gateway.md").read_text(), re.DOTALL)
    assert len(script.splitlines()) <= 22
    gateway = await start("--synthetic", "--symbols", "SPY", "--port", "0", "--wait-for-client", "--json")
    port = (await fact(gateway))["port"]
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script.replace("4010", str(port)), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(client.communicate(), 60)
    gateway.terminate()
    await asyncio.wait_for(gateway.communicate(), 30)
    told = out.decode().splitlines()
    assert told[0].split() == ["LMT", "Filled"]
    assert "position [('SPY', 100.0)]" in told
