"""Every key with its value and where it comes from: a line of the file, or the default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from shared.config import Config
from shared.config_faults import as_toml, key_text
from shared.config_fields import NONE
from shared.config_lines import TomlPath, index_lines

DEFAULT = "default"


class Setting(Struct, frozen=True, kw_only=True):
    """One key as a person reads it (`strategy[sma].allocation`), its value, and `FILE:LINE` or `default`."""

    key: str
    value: str | int | float | bool | list[Any]
    origin: str


def settings_of(config: Config, path: Path) -> list[Setting]:
    """All settings of the configuration that was loaded from `path`, in the order of the reference."""
    lines = index_lines(path.read_text(encoding="utf-8"))
    data = config.model_dump(mode="json")
    return [
        Setting(
            key=key_text(where, data),
            value=NONE if value is None else value,
            origin=f"{path}:{lines[where]}" if where in lines else DEFAULT,
        )
        for where, value in _leaves(data, ())
    ]


def shown(setting: Setting) -> str:
    """`key = value  # origin`, the value as TOML has it."""
    return f"{setting.key} = {as_toml(setting.value)}  # {setting.origin}"


def _leaves(value: object, path: TomlPath) -> Iterator[tuple[TomlPath, Any]]:
    match value:
        case Mapping() if value or not path:
            for key, inner in value.items():
                yield from _leaves(inner, (*path, key))
        case [Mapping(), *_]:
            for position, inner in enumerate(value):
                yield from _leaves(inner, (*path, position))
        case Mapping():
            pass  # an empty table, such as params
        case _:
            yield path, value
