"""What `--json` prints: one object a line, each naming its schema and version (docs/schemas/NAME.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping

SCHEMA_VERSIONS = {
    "alerts": 1,
    "audit": 1,
    "command": 1,
    "config-check": 1,
    "config-show": 1,
    "doctor": 1,
    "heartbeat": 1,
    "journal-event": 1,
    "journal-verify": 1,
    "orders": 1,
    "positions": 1,
    "rescue": 1,
    "session-plan": 1,
    "simulate": 1,
    "status": 1,
    "version": 1,
}
"""A field that is added leaves the number; one that goes or changes its meaning raises it."""


def json_line(name: str, facts: Mapping[str, object]) -> str:
    """`facts` as one line of JSON, stamped `openbell.NAME/VERSION`; what JSON does not know is shown as text."""
    stamped = {"schema": f"openbell.{name}/{SCHEMA_VERSIONS[name]}", **facts}
    return json.dumps(stamped, ensure_ascii=False, default=str)
