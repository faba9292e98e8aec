"""The arming file: a person has looked at this account and these limits, not longer ago than 30 days.

It lies in <state_dir>/live/, is written by `openbell arm` only, and holds hashes: another account, another limit or
another month, and live trading does not start until somebody looks again.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from datetime import date
from pathlib import Path

from msgspec import Struct, ValidationError, convert

from shared.config import Config
from shared.errors import ConfigError
from shared.io.logging import masked
from shared.io.whole_file import write_whole

VALID_DAYS = 30
_AGAIN = "run: openbell arm"
_WRITABLE_BY_OTHERS = 0o022


class Arming(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in the file. `account` is masked; the hashes are SHA-256 in hex."""

    account: str
    account_sha256: str
    limits_sha256: str
    armed_on: date
    armed_by: str


def arming_path(config: Config) -> Path:
    """Beside live's journal, from config.toml's folder; paper never looks there."""
    return config.base_dir / config.state_dir / "live" / "armed.toml"


def arming_of(config: Config, today: date, by: str) -> Arming:
    return Arming(
        account=masked(config.account),
        account_sha256=_digest(config.account),
        limits_sha256=_limits_digest(config),
        armed_on=today,
        armed_by=by,
    )


def write_arming(config: Config, arming: Arming) -> Path:
    """Write the file, readable by its owner only; raises ConfigError if it cannot be written."""
    path = arming_path(config)
    lines = [
        f"# Written by `openbell arm`; live trading starts for {VALID_DAYS} days. Delete it to disarm.",
        f"account = {json.dumps(arming.account)}",
        f"account_sha256 = {json.dumps(arming.account_sha256)}",
        f"limits_sha256 = {json.dumps(arming.limits_sha256)}",
        f"armed_on = {arming.armed_on}",
        f"armed_by = {json.dumps(arming.armed_by)}",
    ]
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, "\n".join(lines) + "\n", mode=0o600)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
    return path


def check_armed(config: Config, today: date) -> Arming:
    """The arming, if it is for this account and these limits and not too old.

    Raises:
        ConfigError: saying what differs, and the command that arms.
    """
    path, arming = arming_path(config), read_arming(config)
    if arming.account_sha256 != _digest(config.account):
        raise ConfigError(
            f"{path}: is for account {arming.account}, the configuration names {masked(config.account)}; {_AGAIN}"
        )
    if arming.limits_sha256 != _limits_digest(config):
        raise ConfigError(f"{path}: [risk] has changed since {arming.armed_on}; look at the limits, then {_AGAIN}")
    age_days = (today - arming.armed_on).days
    if age_days < 0:
        raise ConfigError(
            f"{path}: armed on {arming.armed_on}, which is after today, {today}; set the clock or {_AGAIN}"
        )
    if age_days > VALID_DAYS:
        raise ConfigError(f"{path}: armed on {arming.armed_on}, {age_days} days ago, valid are {VALID_DAYS}; {_AGAIN}")
    return arming


def read_arming(config: Config) -> Arming:
    """What the file says, whether or not it still holds.

    Raises:
        ConfigError: it is not there, others may write it, or it is no arming file.
    """
    path = arming_path(config)
    try:
        if path.stat().st_mode & _WRITABLE_BY_OTHERS:
            raise ConfigError(f"{path}: others may write it, run: chmod 600 {path}")
        return convert(tomllib.loads(path.read_text(encoding="utf-8")), Arming)
    except FileNotFoundError:
        raise ConfigError(f"{path}: is not there, live trading must be armed by a person; {_AGAIN}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise ConfigError(f"{path}: is no arming file ({error}); {_AGAIN}") from None


def _limits_digest(config: Config) -> str:
    return _digest(json.dumps(config.risk.model_dump(mode="json"), sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.sha256(b"openbell arming\0" + text.encode()).hexdigest()
