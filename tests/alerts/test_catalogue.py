"""Table, runbook and code hold each other: nothing can be told that has no page."""

import ast
import re
from pathlib import Path

import pytest

from daemon.alerts.catalogue import ALERTS, Severity, kind_of, severity_of
from shared.commands import Notify

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
CODES = [kind.code for kind in ALERTS]
TELLERS = {"Notify", "Alarm", "Discrepancy"}
BY_VARIABLE = {"entry_denied", "exit_denied"}  # f"{what}_denied" in daemon/engine/denials.py


def trees():
    return [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "daemon").rglob("*.py"))]


def constants():
    """Texts that stand under an upper-case name anywhere in daemon/."""
    return {
        target.id: node.value.value
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.isupper()
    }


def told():
    """Every code= and kind= of what tells a person, as it stands in the source."""
    return [
        word.value
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in TELLERS
        for word in node.keywords
        if word.arg in {"code", "kind"}
    ]


def codes_in_the_source():
    named = constants()
    return {
        value.value if isinstance(value, ast.Constant) else named[value.id]
        for value in told()
        if isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and value.id in named)
    }


def test_every_code_that_the_daemon_can_tell_is_in_the_table():
    found = codes_in_the_source()
    assert {"unprotectable", "account_drift", "lost_order", "login_needed", "heartbeat_lost"} <= found
    assert sorted((found | BY_VARIABLE) - set(CODES)) == []


def test_no_code_is_in_the_table_twice():
    assert len(CODES) == len(set(CODES))


@pytest.mark.parametrize("code", CODES)
def test_every_alert_has_a_runbook_page_that_says_what_to_do(code):
    page = RUNBOOK.split(f"\n### {code}\n", 1)[1].split("\n### ", 1)[0]
    assert re.findall(r"^- \*\*([\w ]+):\*\* \S", page, re.MULTILINE) == ["Means", "Openbell did", "Now", "Ends"]


def test_the_runbook_speaks_of_nothing_that_cannot_be_told():
    assert sorted(set(re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE)) - set(CODES)) == []


@pytest.mark.parametrize(
    "title",
    ["Weekly login", "Gateway dead with positions open", "Erroneous execution", "Host lost", "Journal damaged",
     "Clock wrong"],
)  # fmt: skip
def test_the_procedures_that_no_alert_covers_are_there(title):
    assert f"\n## {title}\n" in RUNBOOK


@pytest.mark.parametrize(
    ("level", "code", "severity"),
    [
        ("critical", "unprotectable", Severity.PAGE),
        ("critical", "entry_cancelled", Severity.PAGE),
        ("warning", "order_unknown", Severity.NOTICE),
        ("warning", "entry_cancelled", Severity.DIGEST),
        ("info", "filled", Severity.DIGEST),
        ("warning", "a_code_of_tomorrow", Severity.NOTICE),
        ("critical", "a_code_of_tomorrow", Severity.PAGE),
    ],
)
def test_the_table_may_quieten_a_warning_but_never_a_page(level, code, severity):
    assert severity_of(Notify(level=level, code=code, text="x")) is severity


def test_an_alert_names_its_page():
    assert kind_of("unprotectable").page == "docs/runbook.md#unprotectable"
