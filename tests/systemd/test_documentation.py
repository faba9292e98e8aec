"""docs/systemd.md says what the units do: every unit, every line of hardening, every figure."""

import re
from pathlib import Path

import pytest

from daemon.runtime.arming import VALID_DAYS
from daemon.runtime.service_units import LIVE_UNITS, PAPER_UNITS
from shared.io.secrets import LENGTH_MIN

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "systemd.md").read_text(encoding="utf-8")
UNIT = (ROOT / "systemd" / "openbell.service").read_text(encoding="utf-8")
CONFINEMENT = UNIT[UNIT.index("NoNewPrivileges=") : UNIT.index("[Install]")]


@pytest.mark.parametrize("line", sorted(set(re.findall(r"^[A-Z]\w+=", CONFINEMENT, re.MULTILINE))))
def test_every_line_of_hardening_has_its_price_in_the_table(line):
    assert f"`{line}" in PAGE[PAGE.index("## Hardening") :]


@pytest.mark.parametrize("line", re.findall(r"^[A-Z]\w+=\S*", (ROOT / "systemd/user.conf").read_text(), re.MULTILINE))
def test_every_line_that_a_users_manager_cannot_do_is_listed(line):
    assert f"`{line}" in PAGE[PAGE.index("20-user.conf") : PAGE.index("## Start")]


@pytest.mark.parametrize("unit", [*PAPER_UNITS, *LIVE_UNITS])
def test_every_unit_is_described(unit):
    stem, _, kind = unit.rpartition(".")
    assert re.search(rf"`{re.escape(stem)}\w*\.(?:service|timer)`(?:, `\.{kind}`)?", PAGE)


def test_the_figures_are_those_of_the_code():
    assert f"older than {VALID_DAYS} days" in PAGE
    assert f"at least {LENGTH_MIN} characters" in PAGE
    seconds = dict(re.findall(r"^(WatchdogSec|TimeoutStartSec)=(\d+)$", UNIT, re.MULTILINE))
    assert f"Silence for {seconds['WatchdogSec']} s" in PAGE
    assert f"ends after {seconds['TimeoutStartSec']} s" in PAGE
    assert f"above {int(seconds['WatchdogSec']) // 2} is refused" in PAGE
