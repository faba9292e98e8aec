"""docs/universe.md: its example runs and its table names exactly the reasons that exist."""

import re
from pathlib import Path

from research.ingest.universe.build import REASONS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "universe.md").read_text()


def test_the_example_of_the_page_runs():
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "docs/universe.md", "exec"), {})


def test_the_page_names_every_reason_in_the_order_in_which_they_are_given():
    section = PAGE[PAGE.index("| reason |") : PAGE.index("A symbol carries")]
    assert tuple(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)) == REASONS
