"""Which code ran: the release and a hash of the source that decides; a journal names it without git."""

from __future__ import annotations

import hashlib
import json
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from shared.config import Config
from shared.io.fingerprints import DECIDING, packages_hash
from shared.io.journal_rows import SCHEMA_VERSION


@cache
def code_version() -> str:
    """Such as `0.1.0+3f2a91c07b1d`: release, and 12 digits of the SHA-256 over the deciding packages."""
    return f"{_release()}+{packages_hash(DECIDING)[:12]}"


def strategy_hashes(config: Config) -> str:
    """JSON: strategy name -> SHA-256 of its file, or the name of a shipped strategy."""
    files = {strategy.name: config.base_dir / strategy.kind for strategy in config.strategies}
    kinds = {strategy.name: strategy.kind for strategy in config.strategies}
    hashes = {name: _hash(path) if path.is_file() else kinds[name] for name, path in files.items()}
    return json.dumps(hashes)


def build_facts() -> dict[str, object]:
    """What a report of a problem should begin with."""
    return {
        "release": _release(),
        "code": code_version(),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "journal": SCHEMA_VERSION,
        "ib_insync": _release("ib_insync"),
    }


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _release(package: str = "openbell") -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "0"  # run from a bare checkout
