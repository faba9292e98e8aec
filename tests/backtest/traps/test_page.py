"""docs/backtrader_traps.md and the tests name each other."""

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = (HERE.parents[2] / "docs" / "backtrader_traps.md").read_text()


def test_every_trap_of_the_page_has_its_test_and_every_test_its_row():
    documented = re.findall(r"^\|.*\| `(test_\w+)` \|$", PAGE, re.MULTILINE)
    sources = [HERE / "test_brackets.py", HERE / "test_clocks.py"]
    existing = [name for path in sources for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)]
    assert sorted(documented) == sorted(existing)
    assert len(documented) == 12
