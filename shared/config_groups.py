"""The file of sectors, correlation groups and betas that `risk.groups_file` names.

Two tables: `[groups]` with lines such as `tech = ["AAPL", "MSFT"]`, and `[betas]` with lines such as `AAPL = 1.2`.
"""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

from shared.config_lines import index_lines, line_of
from shared.errors import ConfigError

TABLES = ("groups", "betas")
Groups = tuple[dict[str, tuple[str, ...]], dict[str, float]]


def load_groups(path: Path) -> Groups:
    """Members by group and betas by symbol.

    Raises:
        ConfigError: with one line per fault, each with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"risk.groups_file: {path}: not found") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"risk.groups_file: {path}: cannot be read ({error})") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    lines = index_lines(text)
    faults = [(line_of(lines, where), what) for where, what in _faults(data)]
    if faults:
        raise ConfigError([f"{path}:{line}: {what}" for line, what in sorted(faults)])
    members = {name: tuple(symbols) for name, symbols in data.get("groups", {}).items()}
    return members, {symbol: float(beta) for symbol, beta in data.get("betas", {}).items()}


def _faults(data: dict[str, Any]) -> list[tuple[tuple[str, ...], str]]:
    found: list[tuple[tuple[str, ...], str]] = [
        ((key,), f"{key}: unknown key, allowed: {', '.join(TABLES)}") for key in data if key not in TABLES
    ]
    for table in TABLES:
        if not isinstance(data.get(table, {}), dict):
            found.append(((table,), f"{table}: must be a table"))
            return found
    for name, symbols in data.get("groups", {}).items():
        if not (isinstance(symbols, list) and symbols and all(isinstance(symbol, str) for symbol in symbols)):
            found.append((("groups", name), f"groups.{name}: must be a list of at least one symbol"))
    for symbol, beta in data.get("betas", {}).items():
        if isinstance(beta, bool) or not isinstance(beta, int | float) or not math.isfinite(beta):
            found.append((("betas", symbol), f"betas.{symbol} = {beta}: must be a number"))
    return found
