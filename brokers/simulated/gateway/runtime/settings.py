"""How a gateway runs: every setting of `SimulatedGateway`, checked once, all faults at once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from brokers.simulated.gateway.accounts.accounts import check_account_ids
from brokers.simulated.gateway.runtime.clock import SPEED_MAX, SPEED_MIN
from shared.errors import ConfigError

if TYPE_CHECKING:
    from brokers.simulated.gateway.faults.plan import FaultPlan

PORT_MAX = 65535
CLIENT_ID_MAX = 2**31 - 1
SESSIONS_MAX = 10_000
COMMISSION_MODELS = ("ib_fixed", "ib_tiered")
PACINGS = ("off", "silent", "reject")
DATE_FORMATS = ("operator", "instrument", "utc")


class Settings(Struct, frozen=True, kw_only=True):
    """`*_s` are market seconds, except `gather_s` and `wait_for_slow_s`, which are the wall's.

    With `wait_for_client` the clock stands until somebody has subscribed to real-time bars and, as clients
    throttle their requests, no further subscription has come for `gather_s`.
    """

    speed: float = 120.0
    port: int = 4010
    lead_in_s: float = 60.0
    """So long before the open the session begins."""
    premarket: bool = False
    """Whether what was traded before the open is played too, from 04:00 or the session's beginning on."""
    wait_for_client: bool = False
    gather_s: float = 1.25
    wait_for_slow_s: float = 0.0
    """So long the market waits for a client that reads slowly, then the client is cut; 0: never wait."""
    accounts: tuple[str, ...] = ("DU7654321",)
    allow_live_id: bool = False
    cash: float = 1_000_000.0
    participation: float | None = 1.0
    commission_model: str = "ib_fixed"
    read_only: bool = False
    """Whether orders are refused with 321, as with the API's read-only checkbox (TWS.md 3.46)."""
    master_client_id: int | None = None
    """The client that is told of every order and execution, whoever's they are (TWS.md 3.15)."""
    pacing: str = "off"
    """What happens beyond `messages_per_s`: off, silent (read later), reject (error 100, at the third a close)."""
    messages_per_s: int = 50
    ledger_path: Path | None = None
    state_path: Path | None = None
    record_path: Path | None = None
    sessions: int = 1
    nightly: bool = False
    """Whether nights have their auto-restart and reset windows (TWS.md 3.41, 3.42)."""
    night_speed: float | None = None
    """Market seconds a second between sessions; None: nights are skipped unless the clock is real."""
    faults: FaultPlan | None = None
    fault_log_path: Path | None = None
    date_format: str = "instrument"
    """How intraday dates are written (TWS.md 3.34): operator's zone, instrument's zone or UTC with a dash."""


def settings_of(given: dict[str, Any]) -> Settings:
    """The settings, the others at their defaults. Raises ConfigError with one line per fault."""
    unknown = [
        f"setting {name}: unknown, known are {_KNOWN}" for name in given if name not in Settings.__struct_fields__
    ]
    settings = Settings(**{name: value for name, value in given.items() if name in Settings.__struct_fields__})
    faults = unknown + [
        f"setting {name}: {getattr(settings, name)!r}, allowed is {allowed}"
        for name, holds, allowed in _rules(settings)
        if not holds
    ]
    try:
        check_account_ids(settings.accounts, allow_live_id=settings.allow_live_id)
    except ValueError as fault:
        faults.append(f"setting accounts: {fault}")
    if faults:
        raise ConfigError(faults)
    return settings


_KNOWN = ", ".join(Settings.__struct_fields__)


def _rules(settings: Settings) -> tuple[tuple[str, bool, str], ...]:
    """Setting, whether its rule holds, what is allowed."""
    seconds = "0 or more seconds"
    return (
        ("speed", _within(settings.speed, SPEED_MIN, SPEED_MAX), f"{SPEED_MIN:g} to {SPEED_MAX:g}"),
        ("port", _is_whole(settings.port, 0, PORT_MAX), f"0 to {PORT_MAX}"),
        ("lead_in_s", _within(settings.lead_in_s, 0), seconds),
        ("gather_s", _within(settings.gather_s, 0), seconds),
        ("wait_for_slow_s", _within(settings.wait_for_slow_s, 0), seconds),
        ("cash", _within(settings.cash, -math.inf), "an amount of dollars"),
        ("participation", settings.participation is None or _is_share(settings.participation), "above 0, or None"),
        ("accounts", bool(settings.accounts) and len(set(settings.accounts)) == len(settings.accounts), "each id once"),
        ("commission_model", settings.commission_model in COMMISSION_MODELS, " or ".join(COMMISSION_MODELS)),
        (
            "master_client_id",
            settings.master_client_id is None or _is_whole(settings.master_client_id, 0, CLIENT_ID_MAX),
            f"None or 0 to {CLIENT_ID_MAX}",
        ),
        ("pacing", settings.pacing in PACINGS, ", ".join(PACINGS)),
        ("messages_per_s", _is_whole(settings.messages_per_s, 1, 1_000_000), "1 or more"),
        ("sessions", _is_whole(settings.sessions, 1, SESSIONS_MAX), f"1 to {SESSIONS_MAX}"),
        (
            "night_speed",
            settings.night_speed is None or _within(settings.night_speed, SPEED_MIN, SPEED_MAX),
            f"None or {SPEED_MIN:g} to {SPEED_MAX:g}",
        ),
        ("date_format", settings.date_format in DATE_FORMATS, ", ".join(DATE_FORMATS)),
    )


def _within(value: object, lowest: float, highest: float = math.inf) -> bool:
    """Whether it is a finite number between the two."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and lowest <= value <= highest


def _is_whole(value: object, lowest: int, highest: int) -> bool:
    return isinstance(value, int) and _within(value, lowest, highest)


def _is_share(value: object) -> bool:
    return _within(value, 0) and value != 0
