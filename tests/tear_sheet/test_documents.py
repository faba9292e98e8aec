import re
from pathlib import Path

from research.backtest.artifacts import PAGE, PICTURE
from research.tear_sheet.axis import COLUMNS_MAX
from research.tear_sheet.caveats import FEW_SESSIONS, FEW_TRIPS
from research.tear_sheet.store import CURVE, FACTS, FORMAT, TRIPS
from research.tear_sheet.tables import TRIPS_SHOWN
from research.tear_sheet.time_charts import HELD_SHOWN, WINDOWS
from tests.runtime.front_door import FrontDoor

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "tear_sheet.md").read_text()


def test_the_options_of_the_page_exist(capsys, monkeypatch):
    told = FrontDoor(capsys, monkeypatch)("replay", "--help").out
    section = TEXT[: TEXT.index("## What is on it")]
    documented = re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE)
    assert len(documented) == 4
    assert [option for option in documented if option not in told] == []


def test_the_files_of_the_page_are_those_that_are_written():
    section = TEXT[TEXT.index("## The files") :]
    documented = set(re.findall(r"`([a-z_]+\.[a-z]+)`", section))
    assert documented == {"replay.json", "decisions.jsonl", "fills.csv", FACTS, CURVE, TRIPS, PAGE, PICTURE}
    assert FORMAT in section


def test_the_figures_of_the_page_are_those_of_the_code():
    said = " ".join(TEXT.split())
    assert f"more than {TRIPS_SHOWN} round trips" in said
    assert f"the {HELD_SHOWN} longest held" in said
    assert f"({COLUMNS_MAX})" in said
    assert f"below {FEW_SESSIONS} sessions" in said
    assert f"below {FEW_TRIPS} |" in said
    first, second, third = (window for _, window in WINDOWS)
    assert f"({first} sessions; {second} or {third} in shorter runs)" in said
