"""config.toml as JSON Schema, so that an editor completes keys, shows what they mean and marks what is not allowed."""

from __future__ import annotations

from typing import Any

from shared.config import Config

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_WORDS = ("kind", "allowed")


def json_schema() -> dict[str, Any]:
    """What single keys allow; contradictions between keys are found by `openbell config check` only."""
    schema = Config.model_json_schema(by_alias=True)
    described = _described(schema)
    assert isinstance(described, dict)
    return {"$schema": DRAFT, **described, "title": "Openbell config.toml"}


def _described(value: object) -> object:
    """The schema with our words for a field as its description."""
    if isinstance(value, list):
        return [_described(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    words = [str(value[name]) for name in _WORDS if isinstance(value.get(name), str) and value[name]]
    kept = {name: _described(inner) for name, inner in value.items() if name not in _WORDS or not words}
    return {**kept, "description": ", ".join(words)} if words else kept
