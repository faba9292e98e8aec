import tomllib
from pathlib import Path

import pytest

from tests.simulation.judge.judging import breaches_of
from tests.simulation.plan import decoded
from tests.simulation.world.run import played

FOLDER = Path(__file__).with_name("regressions")
REGISTER = tomllib.loads((FOLDER / "register.toml").read_text()).get("regression", [])


@pytest.mark.parametrize("entry", REGISTER, ids=lambda entry: entry["name"])
def test_what_the_simulation_has_found_is_mended(entry):
    outcome = played(decoded((FOLDER / f"{entry['name']}.json").read_bytes()))
    assert [breach.text for breach in breaches_of(outcome.history)] == []


def test_every_plan_stands_in_the_register_and_the_other_way_round():
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(entry["name"] for entry in REGISTER)


def test_every_entry_says_what_was_wrong():
    assert all(entry["wrong"] and entry["found"] and entry["invariant"] for entry in REGISTER)
