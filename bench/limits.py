"""Limits that stand in nobody's way, for measuring."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from shared.config import load_config
from shared.config_sections import RiskConfig

_SHIPPED = Path(__file__).resolve().parents[1] / "config.toml"


def lifted() -> dict[str, object]:
    """[risk] of the shipped configuration, every limit lifted that may be."""
    shipped = load_config(_SHIPPED).risk.model_dump()
    may_be_lifted = [
        name for name, field in RiskConfig.model_fields.items() if type(None) in get_args(field.annotation)
    ]
    return {**shipped, **dict.fromkeys(may_be_lifted)}
