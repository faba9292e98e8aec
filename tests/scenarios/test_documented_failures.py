"""docs/failures.md: every failure, hole and invariant has its row, and every test and key it names exists."""

import re

import pytest

from shared.config import Config
from tests.architecture.source import ROOT

PAGE = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
KINDS = {"Real failures": 22, "Holes of public systems": 15, "What must always hold": 22}
WRITTEN = frozenset(
    name
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
)


def rows(heading):
    """The cells of the table under a heading, without its head."""
    section = PAGE.split(f"## {heading}")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def named_in(text):
    return re.findall(r"`(test_\w+)`", text)


@pytest.mark.parametrize(("heading", "count"), KINDS.items())
def test_every_number_has_its_row(heading, count):
    assert [row[0] for row in rows(heading)] == [str(number) for number in range(1, count + 1)]


@pytest.mark.parametrize("heading", KINDS)
def test_every_row_names_a_test(heading):
    assert [row[0] for row in rows(heading) if not named_in(" ".join(row))] == []


def test_every_control_names_a_test_or_says_why_there_is_none():
    found = rows("Controls through the wire")
    assert len(found) >= 19
    assert [row[0] for row in found if not named_in(row[2]) and not row[2].startswith("not ")] == []


def test_every_test_that_is_named_exists():
    assert set(named_in(PAGE)) - WRITTEN == set()


@pytest.mark.parametrize("kind", ["f", "hole_"])
def test_every_scenario_that_has_a_number_is_named_under_it(kind):
    """A test called `test_f13_...` stands in row 13."""
    heading = "Real failures" if kind == "f" else "Holes of public systems"
    named = {(row[0], name) for row in rows(heading) for name in named_in(row[-1])}
    numbered = {(found[1], name) for name in SCENARIOS if (found := re.match(rf"test_{kind}(\d+)_", name))}
    assert {name for number, name in numbered if (number, name) not in named} - set(BESIDE) == set()


def test_every_key_that_is_named_is_one_of_the_configuration():
    keys = re.findall(r"`(risk|execution|session|runtime|reconcile|broker)\.(\w+)`", PAGE)
    known = {
        name: set(getattr(field.annotation, "model_fields", ()))
        for name, field in Config.model_fields.items()
        if _has(field)
    }
    assert {f"{section}.{key}" for section, key in keys if key not in known[section]} == set()
    assert len(keys) >= 15


def _has(field):
    return hasattr(field.annotation, "model_fields")


SCENARIOS = frozenset(
    name
    for path in sorted((ROOT / "tests/scenarios").glob("test_*.py"))
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
)
BESIDE = (
    "test_f16_nothing_is_accepted_where_nothing_differs",
    "test_f16_the_halved_price_after_a_split_is_no_signal",
    "test_f17_without_a_cap_the_strategy_enters_every_time",
    "test_hole_1_without_the_state_the_same_view_would_have_gone_short",
)
"""Measures for others, not the failure itself."""
