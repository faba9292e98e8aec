"""docs/risk.md against the code: every key, rule and test it names exists, every control of RISK.md stands there."""

import re
from pathlib import Path
from typing import Any

import pytest

from risk.checks import RULES
from shared.config import Config

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "risk.md").read_text(encoding="utf-8")
WRITTEN = frozenset(
    name
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
)
CONTROLS = [
    "Max order quantity",
    "Max order notional",
    "Price tolerance",
    "Stale or unreasonable data",
    "Max position",
    "Exposure, sector or group cap",
    "Credit or capital threshold",
    "Duplicate orders",
    "Restricted list",
    "Shorts, halts, session",
    "Message rate",
    "Repeated automated execution",
    "Self-trade between strategies",
    "Authorised operators and builds",
    "Protective stop for each entry",
    "Kill switch",
    "Cancel on disconnect",
    "Graded trading state",
    "Loss limits",
    "Reject streak, execution throttle",
    "Volatility pauses",
    "Heartbeat",
    "Own orders at the venue",
    "Frequent reconciliation",
    "Immediate post-trade report",
    "Post-trade profit and loss",
    "Busts and corrections",
    "Tie-out with the statement",
    "Conformance testing",
    "Change control",
    "Alerts that are read",
    "Limits owned by a person",
    "Loss of the host",
]
AUTOMATIC = [
    "max_day_loss",
    "max_week_loss",
    "max_drawdown_pct",
    "max_strategy_day_loss",
    "max_instrument_day_loss",
    "max_day_slippage",
    "max_losses_in_a_row",
    "max_rejects_in_a_row",
    "max_unknown_orders",
    "max_account_drift_pct",
]


def section(heading):
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def rows_of(heading):
    """The cells of a section's table, without its head."""
    lines = [line for line in section(heading).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| ---")][1:]


def ticked(text):
    return re.findall(r"`([^`]+)`", text)


def field_of(key):
    """The configuration's field of a dotted key; KeyError if there is none."""
    model: Any = Config
    for name in key.split("."):
        field = model.model_fields[name]
        model = field.annotation
    return field


def test_every_control_has_its_row():
    assert [row[0] for row in rows_of("Every control that professionals expect")] == CONTROLS


@pytest.mark.parametrize("row", rows_of("Every control that professionals expect"), ids=lambda row: row[0])
def test_a_control_names_a_test_or_says_that_it_is_not_covered(row):
    assert ticked(row[3]) or "not covered: " in row[1]


@pytest.mark.parametrize("name", sorted({name for name in ticked(PAGE) if name.startswith("test_")}))
def test_a_test_that_the_page_names_exists(name):
    assert name in WRITTEN


@pytest.mark.parametrize("heading", ["Rules", "Every control that professionals expect"])
def test_every_key_that_a_table_names_exists(heading):
    column = {"Rules": 1}.get(heading, 2)
    keys = [key for row in rows_of(heading) for key in ticked(row[column])]
    assert keys
    assert [key for key in keys if field_of(key) is None] == []


def test_every_rule_that_a_control_names_exists():
    named = [name for row in rows_of("Every control that professionals expect") for name in ticked(row[1])]
    assert [name for name in named if "_" in name and name not in RULES] == []


def test_every_automatic_limit_has_its_row_and_a_key_that_exists():
    keys = [ticked(row[0])[0] for row in rows_of("Automatic limits")]
    assert sorted(keys) == sorted(f"risk.{limit}" for limit in AUTOMATIC)
    assert [key for key in keys if field_of(key) is None] == []
