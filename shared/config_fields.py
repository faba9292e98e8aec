"""What a key of config.toml may hold: a pydantic field that also says it in words (shared/config_faults.py)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator
from pydantic.fields import FieldInfo

NONE = "none"
"""How a limit is openly lifted; None is how the lifted limit reads in code."""


def field(kind: str, allowed: str, example: object, **rules: Any) -> FieldInfo:  # noqa: ANN401 - Field's own
    """A field whose faults read `must be KIND, ALLOWED` (shared/config_faults.py)."""
    info: FieldInfo = Field(examples=[example], json_schema_extra={"kind": kind, "allowed": allowed}, **rules)
    return info


def whole(least: int, most: int, example: int) -> FieldInfo:
    return field("a whole number", f"{least} to {most}", example, ge=least, le=most)


def number(least: float, most: float, example: float) -> FieldInfo:
    return field("a number", f"{least:.12g} to {most:.12g}", example, ge=least, le=most)


def positive(most: float, example: float) -> FieldInfo:
    return field("a number", f"above 0 and at most {most:.12g}", example, gt=0, le=most)


def text(allowed: str, example: str, pattern: str = ".") -> FieldInfo:
    return field("a text", allowed, example, pattern=pattern)


def choice(*words: str) -> FieldInfo:
    return field("a text", " or ".join(f'"{word}"' for word in words), words[0])


def switch(example: bool) -> FieldInfo:
    return field("", "true or false", example)


def list_of(what: str, example: list[str], least: int = 0) -> FieldInfo:
    # TOML has arrays only; strict Python would ask for a tuple.
    return field("", f"a list of {what}", example, strict=False, min_length=least)


def _limit(value: object, most: float) -> float | None:
    if value is None or value == NONE:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most:
        return float(value)
    raise ValueError


def _count(value: object) -> int | None:
    if value is None or value == NONE:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _COUNT_MAX:
        return value
    raise ValueError


_MONEY_MAX = 1e12
_PERCENT_MAX = 100.0
_MULTIPLE_MAX = 10.0
_COUNT_MAX = 1_000_000
_LimitInput = Annotated[float, Field(gt=0)] | Literal["none"]  # what editors are told (shared/config_schema.py)
MoneyLimit = Annotated[
    float | None,
    PlainValidator(lambda value: _limit(value, _MONEY_MAX), json_schema_input_type=_LimitInput),
    field("a number", f'above 0 and at most {_MONEY_MAX:g}, or "{NONE}"', 10_000),
]
PercentLimit = Annotated[
    float | None,
    PlainValidator(lambda value: _limit(value, _PERCENT_MAX), json_schema_input_type=_LimitInput),
    field("a number", f'above 0 and at most {_PERCENT_MAX:g}, or "{NONE}"', 5),
]
MultipleLimit = Annotated[
    float | None,
    PlainValidator(lambda value: _limit(value, _MULTIPLE_MAX), json_schema_input_type=_LimitInput),
    field("a number", f'above 0 and at most {_MULTIPLE_MAX:g}, or "{NONE}"', 1),
]
CountLimit = Annotated[
    int | None,
    PlainValidator(_count, json_schema_input_type=Annotated[int, Field(gt=0)] | Literal["none"]),
    field("a whole number", f'1 to {_COUNT_MAX}, or "{NONE}"', 5),
]
