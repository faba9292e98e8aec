"""Which code, which configuration, which bars: a SHA-256 of each (64 hex digits), the same in every process.

The daemon and research both ask here, so that what one wrote the other recognises.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from shared.errors import DataError

if TYPE_CHECKING:  # what only names a type is not loaded: `openbell version` must be quick
    from shared.config import Config
    from shared.io.bar_store import BarPanel

ROOT = Path(__file__).resolve().parents[2]
DECIDING = ("daemon/engine", "strategies", "risk", "shared")
"""The packages that decide what is sent to a broker."""
REPLAYING = (*DECIDING, "brokers/simulated", "research/backtest")
"""The packages whose code a replay's result depends on."""

_OUTSIDE = (
    "mode",
    "account",
    "state_dir",
    "log_dir",
    "broker",
    "runtime",
    "journal",
    "control",
    "mqtt",
    "alert",
    "alerts",
    "metrics",
    "cluster",
    "data",
    "features",
    "nightly",
)
"""What a replay does not read. A section that is not named here counts: a new one is never forgotten."""
_SIGNED_OFF = ("owner", "reviewed_on", "reason")
_TABLES = (".csv", ".parquet", ".toml")
_BLOCK_ROWS = 4_096


@cache
def packages_hash(packages: tuple[str, ...] = REPLAYING) -> str:
    """Names and contents of every .py file of these packages, folders under the root of the installation."""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def code_hash(config: Config) -> str:
    """The code of a replay under `config`: our packages and the strategy files that it names.

    Raises DataError where such a file cannot be read.
    """
    return _with_strategies(packages_hash(), config)


def deciding_hash(config: Config) -> str:
    """The code that a strategy's memory depends on: our deciding packages, its file, and who rounds: numba, numpy.

    Raises DataError where a strategy's file cannot be read.
    """
    return _with_strategies(f"{packages_hash(DECIDING)} {version('numba')} {version('numpy')}", config)


def config_hash(config: Config) -> str:
    """What a replay reads of `config`, defaults filled in, in canonical JSON; for files their content, not their names.

    Comments, the order of keys, a default that is written out, and the sections that only face outside (broker,
    journal, alerts, ...) change nothing. DataError where a named file cannot be read.
    """
    canonical = _with_contents(canonical_config(config), config.base_dir)
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical_config(config: Config) -> dict[str, Any]:
    """The part of `config` that a replay reads, as plain values; who signed the limits off is left out."""
    whole = config.model_dump(mode="json", by_alias=True)
    kept = {name: section for name, section in whole.items() if name not in _OUTSIDE}
    kept["risk"] = {key: value for key, value in kept["risk"].items() if key not in _SIGNED_OFF}
    return kept


def panel_hash(panel: BarPanel) -> str:
    """Symbols, interval, instants and values of `panel`: the same from CSV and Parquet, in any order of symbols."""
    order = sorted(range(len(panel.symbols)), key=panel.symbols.__getitem__)
    digest = hashlib.sha256(dataset_hash(panel).encode())
    digest.update(np.ascontiguousarray(panel.opened_at, dtype="<i8").tobytes())
    for values in (panel.open, panel.high, panel.low, panel.close, panel.volume):
        for first in range(0, len(values), _BLOCK_ROWS):
            digest.update(_canonical_block(values[first : first + _BLOCK_ROWS], order))
    return digest.hexdigest()


def dataset_hash(panel: BarPanel) -> str:
    """Symbols and interval alone: the same data set, however many days of it are there."""
    head = json.dumps([sorted(panel.symbols), panel.interval_s], separators=(",", ":"))
    return hashlib.sha256(head.encode()).hexdigest()


def _canonical_block(values: npt.NDArray[np.float64], order: list[int]) -> bytes:
    in_order = values if order == list(range(len(order))) else values[:, order]
    block = np.ascontiguousarray(in_order, dtype="<f8") + 0.0  # a copy, in which -0.0 has become 0.0
    block[np.isnan(block)] = np.nan  # of all the bit patterns of NaN, this one
    return block.tobytes()


def _with_contents(section: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The section with a hash of its content in the place of every file's name; lists name none."""
    found: dict[str, Any] = {}
    for key, value in section.items():
        if isinstance(value, dict):
            found[key] = _with_contents(value, folder)
        elif value and isinstance(value, str) and (key.endswith("_file") or value.endswith(_TABLES)):
            found[key] = hashlib.sha256(_content(folder / value)).hexdigest()
        else:
            found[key] = value
    return found


def _with_strategies(ours: str, config: Config) -> str:
    digest = hashlib.sha256(ours.encode())
    for kind in sorted({strategy.kind for strategy in config.strategies}):
        if kind.endswith(".py"):
            digest.update(Path(kind).name.encode() + b"\0" + _content(config.base_dir / Path(kind).expanduser()))
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror}, allowed: a file that the configuration names"
        ) from None
