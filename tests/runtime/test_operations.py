"""docs/operations.md is the operator's table: what the code says must stand in it."""

import re
from pathlib import Path

from openbell import EXIT_CODES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_notice_of_the_engine_is_documented():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "daemon" / "engine").glob("*.py"))
    codes = set(re.findall(r'(?:code|kind)="([a-z_]+)"', source))
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()


def test_every_exit_code_is_documented():
    assert {code for code in EXIT_CODES.values() if f"\n| {code} | " not in PAGE} == set()
