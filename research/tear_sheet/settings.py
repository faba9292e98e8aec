"""What a run was made with: parameters, the deciding part of the config, hashes and versions."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from research.measures.stamp import Stamp
from research.tear_sheet.record import Record
from research.tear_sheet.trips import DAY_S

SYMBOLS_SHOWN = 40


class Settings(Struct, frozen=True, kw_only=True):
    """Name and value of every line; `config` by section."""

    run: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str], ...]
    config: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    stamp: tuple[tuple[str, str], ...]


def settings_of(record: Record) -> Settings:
    """All of it, in the config's order."""
    sections = {name: value for name, value in record.config.items() if name != "strategy"}
    strategies = {f"strategy {one['name']}": one for one in record.config["strategy"]}
    return Settings(
        run=_run(record),
        parameters=tuple(
            (f"{one['name']} ({one['kind']})", _plain(one["params"])) for one in record.config["strategy"]
        ),
        config=tuple((name, _lines(value)) for name, value in (strategies | sections).items()),
        stamp=() if record.stamp is None else _stamp(record.stamp),
    )


def _run(record: Record) -> tuple[tuple[str, str], ...]:
    measures = record.measures
    bars = "daily bars" if record.interval_s >= DAY_S else f"bars of {record.interval_s} s"
    symbols = ", ".join(record.symbols[:SYMBOLS_SHOWN])
    more = len(record.symbols) - SYMBOLS_SHOWN
    return (
        ("Sessions", f"{measures.first_session} to {measures.last_session}, {measures.sessions:,}"),
        ("Data", f"{record.data_name or 'not named'}, {bars}, {len(record.series.closed_at):,} rows"),
        ("Symbols", symbols + (f" and {more} more" if more > 0 else "")),
    )


def _stamp(stamp: Stamp) -> tuple[tuple[str, str], ...]:
    dirty = " with changes" if stamp.git_dirty else ""
    lines = [
        ("Config", stamp.config_hash),
        ("Data", stamp.data_hash),
        ("Code", stamp.code_hash),
        ("Trial", stamp.trial),
        ("Git", f"{stamp.git_revision}{dirty}" if stamp.git_revision else "no checkout"),
        ("Seed", "none" if stamp.seed is None else str(stamp.seed)),
    ]
    return (*lines, *stamp.versions.items())


def _lines(section: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Keys as a reader of config.toml knows them; symbols are said above."""
    return tuple((key, _plain(value)) for key, value in section.items() if key != "symbols")


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
