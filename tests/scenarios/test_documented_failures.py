"""docs/failures.md names a test for every failure and every hole, and every test it names exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
WRITTEN = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}
TABLES = {"F": [f"F{number}" for number in range(1, 23)], "hole": [f"{number}" for number in range(1, 16)]}


def rows_of(pattern):
    return re.findall(rf"^\| ({pattern}) \|(.*)\|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("pattern", "wanted"), [(r"F\d+", TABLES["F"]), (r"\d+", TABLES["hole"])], ids=["F", "hole"])
def test_every_number_has_a_row_with_a_test(pattern, wanted):
    rows = rows_of(pattern)
    assert [number for number, _ in rows] == wanted
    assert [number for number, text in rows if "`test_" not in text] == []


def test_every_test_that_is_named_exists():
    assert set(re.findall(r"`(test_\w+)`", PAGE)) - WRITTEN == set()


def test_every_invariant_is_spoken_of():
    spoken = re.findall(r"I\d+", " ".join(numbers for numbers, _ in rows_of(r"I\d+(?:, I\d+)*")))
    assert sorted(spoken, key=lambda number: int(number[1:])) == [f"I{number}" for number in range(1, 23)]
