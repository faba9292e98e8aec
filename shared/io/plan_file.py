"""The plan file, <state_dir>/<mode>/plan.json: written whole by the nightly run, judged before the daemon trades by it.

A fault is one line that says what is wrong with which file, the value found, and what mends it.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
from msgspec.structs import replace

from shared.config import Config
from shared.day_plan import FORMAT_VERSION, DayPlan
from shared.errors import DataError
from shared.io.whole_file import write_whole

_AGAIN = "run: openbell nightly"
_AHEAD_S_MAX = 300.0
_SHOWN_DIGITS = 12


def plan_path(config: Config) -> Path:
    """Beside the journal of the mode, from config.toml's folder; paper and live each have their own."""
    return config.base_dir / config.state_dir / config.mode / "plan.json"


def account_hash(config: Config) -> str:
    """Tells two configured accounts apart without naming one."""
    return hashlib.sha256(b"openbell plan\0" + config.account.encode()).hexdigest()


def sealed(plan: DayPlan) -> DayPlan:
    """The same plan with its checksum."""
    bare = replace(plan, checksum="")
    return replace(bare, checksum=hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest())


def plan_text(plan: DayPlan) -> str:
    """The plan as the file holds it; the same plan gives the same text."""
    return msgspec.json.format(msgspec.json.encode(plan, order="sorted"), indent=2).decode() + "\n"


def write_plan(path: Path, plan: DayPlan) -> None:
    """Put the sealed plan at `path`, readable by its owner only; raises OSError, and nothing has changed then."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, plan_text(sealed(plan)), mode=0o600)


def read_plan(path: Path) -> DayPlan:
    """The plan at `path`, whole and of a format that is known.

    Raises:
        DataError: it is not there, cannot be read, is torn or changed, or of another release's format.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f'{path}: is not there, [nightly] plan = "require" needs one; {_AGAIN}') from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        version = msgspec.json.decode(content, type=_Versioned).format_version
        if version != FORMAT_VERSION:
            raise DataError(f"{path}: is of format {version}, this release reads {FORMAT_VERSION}; {_AGAIN}")
        plan = msgspec.json.decode(content, type=DayPlan)
    except msgspec.MsgspecError as error:
        raise DataError(f"{path}: is torn or no plan ({error}); {_AGAIN}") from None
    if sealed(plan).checksum != plan.checksum:
        raise DataError(f"{path}: does not match its checksum, somebody or something has changed it; {_AGAIN}")
    return plan


def foreign_fault(path: Path, plan: DayPlan, config: Config) -> str:
    """Why the plan is not this configuration's and this code's; empty if it is.

    Raises:
        DataError: a file that the configuration names cannot be read.
    """
    from shared.io.fingerprints import (
        code_hash,
        config_hash,
    )  # brings pyarrow, which a daemon without a plan never needs

    if plan.mode != config.mode:
        return f"{path}: is a plan for {plan.mode}, mode is {config.mode}; {_AGAIN}"
    if plan.account_hash != account_hash(config):
        return f"{path}: is for another account than the configuration names; {_AGAIN}"
    made_of = (("configuration", plan.config_hash, config_hash(config)), ("code", plan.code_hash, code_hash(config)))
    for what, theirs, ours in made_of:
        if theirs != ours:
            short = f"{theirs[:_SHOWN_DIGITS]}, here is {ours[:_SHOWN_DIGITS]}"
            return f"{path}: was made with other {what} ({short}); {_AGAIN}"
    return ""


def stale_fault(path: Path, plan: DayPlan, session: date, now: datetime, age_s_max: float) -> str:
    """Why the plan is not for `session`, or its making too long before `now` (wall time); empty if it is good."""
    if plan.session != session:
        return f"{path}: is for the session of {plan.session}, the next one is {session}; {_AGAIN}"
    age = now - plan.made_at
    if age > timedelta(seconds=age_s_max):
        hours = age.total_seconds() / 3600
        allowed = f"allowed are {age_s_max / 3600:.3g} h (nightly.plan_age_max_s)"
        return f"{path}: was made {hours:.1f} h ago, {allowed}; {_AGAIN}"
    if age < timedelta(seconds=-_AHEAD_S_MAX):
        return f"{path}: was made at {plan.made_at:%Y-%m-%d %H:%M} UTC, which is after now, {now:%Y-%m-%d %H:%M}"
    return ""


class _Versioned(msgspec.Struct, frozen=True):
    format_version: int
