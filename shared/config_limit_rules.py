"""Limits that contradict each other: one that can never be reached beside one that is reached first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from shared.config_faults import Fault, as_toml, value_at

_Data = Mapping[str, Any]

AT_MOST: tuple[tuple[str, str], ...] = (
    ("max_order_quantity", "max_position_quantity"),
    ("max_order_notional", "max_position_notional"),
    ("max_net_exposure", "max_gross_exposure"),
    ("max_group_exposure", "max_gross_exposure"),
    ("max_var_pct", "max_cvar_pct"),
    ("max_day_loss", "max_week_loss"),
    ("max_strategy_day_loss", "max_day_loss"),
    ("max_instrument_day_loss", "max_day_loss"),
    ("max_orders_per_s", "max_orders_per_min"),
    ("max_orders_per_min", "max_orders_per_day"),
)
"""The first is part of the second, so it may not be greater; a limit lifted with "none" agrees with every other."""

_READ_FROM_GROUPS = ("max_group_exposure", "max_beta_exposure")


def limits_fit_together(data: _Data) -> Iterator[Fault]:
    for lesser, greater in AT_MOST:
        part, whole = _limit(data, lesser), _limit(data, greater)
        if part is not None and whole is not None and part > whole:
            text = f"must be at most {greater} = {as_toml(whole)}, which it is a part of"
            yield ("risk", lesser), f"risk.{lesser} = {as_toml(part)}: {text}"


def group_limits_have_groups(data: _Data) -> Iterator[Fault]:
    """Sectors and betas are nowhere but in the file: without it the limit would hold nothing."""
    if value_at(data, ("risk", "groups_file")) not in {None, ""}:
        return
    for name in _READ_FROM_GROUPS:
        if (limit := _limit(data, name)) is not None:
            text = 'needs groups_file, which is not given; name the file or lift the limit with "none"'
            yield ("risk", name), f"risk.{name} = {as_toml(limit)}: {text}"


def the_review_has_a_day(data: _Data) -> Iterator[Fault]:
    path = ("risk", "reviewed_on")
    day = value_at(data, path)
    # Of any other shape it has been told already.
    if isinstance(day, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) and not _is_day(day):
        yield path, f"risk.reviewed_on = {as_toml(day)}: there is no such day, must be one such as 2026-11-21"


def _limit(data: _Data, name: str) -> int | float | None:
    value = value_at(data, ("risk", name))
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
