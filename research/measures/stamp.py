"""What a run was made of. Two runs with the same hashes and seed give the same result, byte for byte."""

from __future__ import annotations

import hashlib
import json
import subprocess
from datetime import date
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from msgspec import Struct

from shared.config import Config
from shared.io.bar_store import BarPanel
from shared.io.fingerprints import ROOT, code_hash, config_hash, dataset_hash, panel_hash

_VERSIONED = ("openbell", "numpy", "numba", "backtrader")
_GIT_TIMEOUT_S = 10.0


class Stamp(Struct, frozen=True, kw_only=True):
    """The origin of one replay. Hashes are SHA-256, 64 hex digits.

    `dataset` covers symbols and interval only, `data_hash` their values too. `start` is the first session that was
    asked for (None = all). `git_revision` and `git_dirty` are None outside a git checkout. `trials` is how many
    configurations of this strategy had been tried on this data set, this one included; None if no ledger was asked.
    """

    strategy: str
    symbols: int
    interval_s: int
    start: date | None
    config_hash: str
    data_hash: str
    code_hash: str
    dataset: str
    seed: int | None
    git_revision: str | None
    git_dirty: bool | None
    versions: dict[str, str]
    trials: int | None = None

    @property
    def trial(self) -> str:
        """Identity of the trial: a run with another value of any of these is another trial."""
        start = None if self.start is None else self.start.isoformat()
        parts = [self.config_hash, self.data_hash, self.code_hash, start, self.seed]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def stamped(
    config: Config,
    panel: BarPanel,
    *,
    start: date | None = None,
    seed: int | None = None,
    trials: int | None = None,
    data_hash: str | None = None,
) -> Stamp:
    """The stamp of a replay of `panel` under `config`; DataError where a file that `config` names cannot be read.

    A sweep gives `data_hash` (panel_hash of its panel) so that the bars are hashed once.
    """
    revision, dirty = _git()
    return Stamp(
        strategy=strategy_of(config),
        symbols=len(panel.symbols),
        interval_s=panel.interval_s,
        start=start,
        config_hash=config_hash(config),
        data_hash=data_hash or panel_hash(panel),
        code_hash=code_hash(config),
        dataset=dataset_hash(panel),
        seed=seed,
        git_revision=revision,
        git_dirty=dirty,
        versions=dict(_versions()),
        trials=trials,
    )


def strategy_of(config: Config) -> str:
    """The kinds of strategy a configuration runs, by which trials are counted: `cross_momentum+sma_cross`."""
    return "+".join(sorted({Path(strategy.kind).name for strategy in config.strategies}))


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    return tuple((name, _version(name)) for name in _VERSIONED)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "0"  # run from a bare checkout


@cache
def _git() -> tuple[str | None, bool | None]:
    """Revision, and whether the working tree differs from it; None where there is no checkout or no git."""
    if not (ROOT / ".git").exists():
        return None, None
    revision, changes = _git_says("rev-parse", "HEAD"), _git_says("status", "--porcelain")
    return revision and revision.strip(), None if changes is None else bool(changes.strip())


def _git_says(*words: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(ROOT), *words]
    try:
        return subprocess.run(  # noqa: S603 - fixed words
            command, capture_output=True, text=True, check=True, timeout=_GIT_TIMEOUT_S
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
