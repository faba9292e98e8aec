"""docs/indicators.md holds a row for every indicator, and says what the registry says."""

from pathlib import Path

from shared.indicators.registry import SPECS
from tests.indicators.documented_table import table_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "indicators.md"


def test_the_table_of_the_page_is_that_of_the_registry():
    text = PAGE.read_text()
    told = text.split("<!-- table -->\n")[1].split("<!-- end -->")[0]
    assert told == table_of(SPECS)
