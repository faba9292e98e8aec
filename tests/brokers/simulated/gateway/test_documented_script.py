"""What docs/gateway.md shows and names is true: its scripts run, its tests exist, its faults are the catalogue's."""

import asyncio
import re
import sys

import pytest

from brokers.simulated.gateway.faults.catalogue import CATALOGUE
from brokers.simulated.gateway.faults.plan import plan_of
from tests.architecture.source import ROOT
from tests.brokers.simulated.gateway.test_cli import fact, start

DOCUMENT = (ROOT / "docs/gateway.md").read_text()
BEHAVIOURS, FAULTS = 46, 54


def shown(language):
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


def rows(heading):
    """The cells of the table under a heading."""
    section = DOCUMENT.split(f"## {heading}")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if re.match(r"\| \d+ ", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.process
async def test_the_script_in_the_docs_places_a_bracket():
    script = shown("python")[0]
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


@pytest.mark.process
async def test_the_test_in_the_docs_passes():
    done = await asyncio.create_subprocess_exec(sys.executable, "-c", shown("python")[1], cwd=ROOT)
    assert await asyncio.wait_for(done.wait(), 60) == 0


def test_the_fault_script_in_the_docs_is_read(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text(shown("toml")[0])
    assert [rule.fault.name for rule in plan_of(str(path)).rules] == [
        "duplicate_executions",
        "lose_server",
        "bad_ticks",
    ]


def test_every_behaviour_has_a_row_and_every_test_it_names_exists():
    table = rows("How each behaviour of TWS is shown")
    assert [int(row[0]) for row in table] == list(range(1, BEHAVIOURS + 1))
    assert _named(row[2] for row in table) - _existing() == set()


def test_every_fault_has_a_row_with_its_name_and_every_test_it_names_exists():
    table = rows("How each fault is shown")
    assert [int(row[0]) for row in table] == list(range(1, FAULTS + 1))
    assert [row[1].strip("`") for row in table] == [CATALOGUE[number].name for number in range(1, FAULTS + 1)]
    assert _named(row[3] for row in table) - _existing() == set()


def _named(cells):
    return {name for cell in cells for name in re.findall(r"`(test_\w+)`", cell)}


def _existing():
    files = (ROOT / "tests/brokers").rglob("test_*.py")
    return {name for path in files for name in re.findall(r"def (test_\w+)", path.read_text())}
