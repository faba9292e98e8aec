"""The plan file: what was written is read, what is torn, changed, foreign or stale is refused by one line."""

import json
import os
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from shared.errors import DataError
from shared.io.plan_file import foreign_fault, plan_path, read_plan, sealed, stale_fault, write_plan
from tests.nightly.builders import MADE_AT, SESSION, a_plan, a_written_plan
from tests.runtime.builders import a_config

DAY_S = 86_400.0


@pytest.fixture
def config(tmp_path):
    return a_config(tmp_path)


def refusal(path):
    with pytest.raises(DataError) as refused:
        read_plan(path)
    line = str(refused.value)
    assert "\n" not in line
    assert line.startswith(f"{path}: ")
    return line


def test_what_was_written_is_read(config):
    assert read_plan(a_written_plan(config)) == sealed(a_plan(config))


def test_it_lies_beside_the_journal_of_its_mode_and_only_its_owner_reads_it(config):
    path = a_written_plan(config)
    assert path == config.base_dir / "state" / "paper" / "plan.json"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_same_plan_is_the_same_bytes(config):
    first = a_written_plan(config).read_bytes()
    assert a_written_plan(config).read_bytes() == first


def test_a_plan_that_is_not_there_names_what_makes_one(config):
    assert refusal(plan_path(config)).endswith(
        'is not there, [nightly] plan = "require" needs one; run: openbell nightly'
    )


@pytest.mark.parametrize("left", [0, 1, 100, -2])
def test_a_torn_plan_is_refused(config, left):
    path = a_written_plan(config)
    path.write_bytes(path.read_bytes()[:left])
    assert "is torn or no plan" in refusal(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("session", "2013-10-09"),
        ("made_at", "2013-10-07T23:30:00Z"),
        ("limits", {"max_order_quantity": 9_999, "max_day_loss": None}),
        ("targets", []),
        ("equity", 2e6),
        ("mode", "live"),
    ],
)
def test_a_changed_plan_is_refused(config, key, value):
    path = a_written_plan(config)
    facts = json.loads(path.read_text())
    assert facts[key] != value
    path.write_text(json.dumps({**facts, key: value}))
    assert "does not match its checksum" in refusal(path)


def test_a_plan_with_a_key_that_nobody_knows_is_refused(config):
    path = a_written_plan(config)
    path.write_text(json.dumps({**json.loads(path.read_text()), "luck": 1}))
    assert "is torn or no plan" in refusal(path)


def test_a_plan_of_another_format_is_refused_by_its_number_whatever_else_it_holds(config):
    path = a_written_plan(config)
    path.write_text(json.dumps({"format_version": 1, "anything": "else"}))
    assert "is of format 1, this release reads 2" in refusal(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_plan_that_may_not_be_read_is_refused(config):
    path = a_written_plan(config)
    path.chmod(0)
    assert "cannot be read: Permission denied" in refusal(path)


def test_a_folder_in_its_place_is_refused(config):
    plan_path(config).mkdir(parents=True)
    assert "cannot be read: Is a directory" in refusal(plan_path(config))


# --- whose it is --------------------------------------------------------------------------------------------------


def test_a_plan_of_this_configuration_and_code_is_nobody_else_s(config):
    assert foreign_fault(plan_path(config), a_plan(config), config) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mode": "live"}, "is a plan for live, mode is paper"),
        ({"account_hash": "0" * 64}, "is for another account"),
        ({"config_hash": "0" * 64}, "was made with other configuration (000000000000, here is "),
        ({"code_hash": "0" * 64}, "was made with other code (000000000000, here is "),
    ],
)
def test_a_foreign_plan_is_named_by_what_is_foreign(config, change, said):
    assert said in foreign_fault(plan_path(config), a_plan(config, **change), config)


def test_a_limit_that_was_changed_since_makes_the_plan_foreign(config):
    risk = config.risk.model_copy(update={"max_order_quantity": 999})
    assert "other configuration" in foreign_fault(
        plan_path(config), a_plan(config), config.model_copy(update={"risk": risk}).based_at(config.base_dir)
    )


def test_another_account_makes_the_plan_foreign_and_no_number_stands_in_it(config):
    mine = config.model_copy(update={"account": "DU7654321"}).based_at(config.base_dir)
    assert "another account" in foreign_fault(plan_path(config), a_plan(config), mine)
    assert "DU7654321" not in a_written_plan(mine).read_text()


def test_a_strategy_file_that_was_changed_since_makes_the_plan_foreign(config, tmp_path):
    source = tmp_path / "mine.py"
    source.write_text("# one")
    kinds = tuple(each.model_copy(update={"kind": "mine.py"}) for each in config.strategies)
    mine = config.model_copy(update={"strategies": kinds}).based_at(tmp_path)
    plan = a_plan(mine)
    source.write_text("# two")
    assert "other code" in foreign_fault(plan_path(mine), plan, mine)


# --- how old it is ------------------------------------------------------------------------------------------------


def stale(config, *, session=SESSION, now=MADE_AT + timedelta(hours=16), age_s_max=DAY_S):
    return stale_fault(plan_path(config), a_plan(config), session, now, age_s_max)


def test_a_plan_of_last_night_for_this_session_is_good(config):
    assert stale(config) == ""


def test_a_plan_for_another_session_is_stale(config):
    assert "is for the session of 2013-10-08, the next one is 2013-10-09" in stale(config, session=date(2013, 10, 9))


def test_a_plan_that_is_older_than_allowed_is_stale(config):
    fault = stale(config, now=MADE_AT + timedelta(hours=25))
    assert "was made 25.0 h ago, allowed are 24 h (nightly.plan_age_max_s)" in fault


def test_a_plan_is_as_old_as_allowed_at_the_limit_itself(config):
    assert stale(config, now=MADE_AT + timedelta(hours=24)) == ""


def test_a_plan_from_the_future_is_refused(config):
    assert "which is after now" in stale(config, now=MADE_AT - timedelta(hours=1))


def test_what_cannot_be_written_leaves_the_plan_before(config):
    path = a_written_plan(config)
    before = path.read_bytes()
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    draft.mkdir()
    with pytest.raises(OSError):  # noqa: PT011 - whichever the system says
        write_plan(path, replace(a_plan(config), equity=1.0))
    draft.rmdir()
    assert path.read_bytes() == before
