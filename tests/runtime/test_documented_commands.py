"""docs/cli.md names exactly the commands, exit codes, checks and cards that exist; every --json follows its schema."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import typer

import openbell as front
from daemon.doctor import gateway_checks, machine_checks
from daemon.runtime.json_output import SCHEMA_VERSIONS
from tests.runtime.front_door import SCHEMAS
from tests.runtime.test_status import BEAT

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text()
SHIPPED = (ROOT / "config.toml").read_text()


def commands(group=None, prefix="openbell"):
    group = group or typer.main.get_command(front.build_app())
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}"


def test_every_command_of_the_page_exists():
    documented = re.findall(r"^\| `(openbell [\w ]+)` \|", PAGE, re.MULTILINE)
    assert sorted(set(documented) - set(commands())) == []
    assert {"openbell doctor", "openbell journal backup", "openbell config schema"} <= set(documented)


@pytest.mark.parametrize("command", re.findall(r"^\| `(openbell [\w ]+)` \|", PAGE, re.MULTILINE))
def test_the_help_of_every_command_shows_an_example(openbell, command):
    shown = openbell(*command.split()[1:], "--help")
    assert shown.code == 0
    assert command in " ".join(shown.out.split("Example:", 1)[1].split())


def test_every_exit_code_that_an_error_has_is_documented():
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert {*front.EXIT_CODES.values(), front.INTERRUPTED, 0, 2, 6} <= documented


def test_the_page_names_exactly_the_checks_that_exist():
    section = PAGE[PAGE.index("## The doctor") : PAGE.index("## Acceptance")]
    rows = re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    existing = {check.name for check in machine_checks.CHECKS} | {check.name for check in gateway_checks.CHECKS}
    existing.add("mqtt")
    assert documented == existing
    assert len(existing) >= 25


def test_every_schema_is_published_under_its_name_and_version():
    published = {path.stem: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    assert {name: f"openbell.{name}/{version}" for name, version in SCHEMA_VERSIONS.items()} == {
        name: schema["title"] for name, schema in published.items() if name in SCHEMA_VERSIONS
    }
    for schema in published.values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.fixture
def beaten(openbell, tmp_path):
    """A daemon has beaten here once."""
    (tmp_path / "config.toml").write_text(SHIPPED)
    (tmp_path / "logs").mkdir()
    beat = {**BEAT, "at": "2026-11-21T12:00:00+00:00", "event": "heartbeat"}
    (tmp_path / "logs" / "openbell-paper.jsonl").write_text(json.dumps(beat) + "\n")
    return openbell


def test_status_follows_its_schema(beaten):
    assert beaten("status", "--json").facts("status")["heartbeat"]["run"] == "r1"


def test_tail_follows_its_schema(beaten):
    (beat,) = beaten("tail", "--json").lines("heartbeat")
    assert beat["state"] == "ACTIVE"


def test_a_session_plan_follows_its_schema(beaten):
    half_day = beaten("session", "plan", "--date", "2026-11-27", "--json")
    assert half_day.facts("session-plan")["is_half_day"] is True
    assert beaten("session", "plan", "--date", "2026-11-26", "--json").facts("session-plan")["opens_at"] is None


def test_the_doctor_ends_with_1_if_something_must_be_mended(beaten, tmp_path):
    (tmp_path / "config.toml").write_text(SHIPPED.replace("port = 4010", "port = 1"))
    ended = beaten("doctor")
    assert ended.code == 1
    assert re.search(r"^fail  gateway_port +127\.0\.0\.1:1: nobody listens\n +-> start TWS", ended.out, re.MULTILINE)
    facts = beaten("doctor", "--json").facts("doctor")
    assert (facts["well"], facts["kind"]) == (False, "setup")


def test_an_acceptance_without_a_gateway_fails_its_first_card(beaten, tmp_path):
    (tmp_path / "config.toml").write_text(SHIPPED.replace("port = 4010", "port = 1"))
    ended = beaten("doctor", "--acceptance", "--json")
    facts = ended.facts("doctor")
    assert (ended.code, facts["kind"], facts["lines"][0]["level"]) == (1, "acceptance", "fail")


def test_an_acceptance_in_live_is_exit_78(beaten, tmp_path):
    live = SHIPPED.replace('mode = "paper"', 'mode = "live"').replace('account = ""', 'account = "U1234567"')
    (tmp_path / "config.toml").write_text(live.replace("follow_gateway_clock = true", "follow_gateway_clock = false"))
    assert beaten("doctor", "--acceptance").code == 78
