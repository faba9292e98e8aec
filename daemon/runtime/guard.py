"""Live trading needs three keys that agree: the configuration, the command line, the broker's own word.

Before any of them is turned, a person must have armed it (arming.py), and the port must be one of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from daemon.runtime.arming import Arming, check_armed
from daemon.runtime.systemd import check_pace
from shared.config import Config
from shared.errors import ConfigError
from shared.io.logging import masked

PAPER_PREFIX = "D"
_PORTS = {7496: ("TWS", "live"), 7497: ("TWS", "paper"), 4001: ("IB Gateway", "live"), 4002: ("IB Gateway", "paper")}
"""Where TWS and IB Gateway listen unless they were told otherwise; other ports may be anything."""


def check_start(config: Config, *, live_flag: bool, today: date, environ: Mapping[str, str]) -> Arming | None:
    """Refuse what must not even be opened; the arming that holds, None in paper.

    Raises:
        ConfigError: naming the key, the port, the arming or the pace that does not agree.
    """
    check_keys(config, live_flag=live_flag)
    check_port(config)
    check_pace(config.runtime.heartbeat_every_s, environ)
    return check_armed(config, today) if config.mode == "live" else None


def check_keys(config: Config, *, live_flag: bool) -> None:
    """Refuse, before anything is opened or connected, a mode and a command line that do not agree.

    Raises:
        ConfigError: naming the key that is missing.
    """
    if config.mode == "live" and not live_flag:
        raise ConfigError('mode: "live" in the configuration needs --live on the command line')
    if config.mode == "live" and not config.account:
        raise ConfigError('account: is empty, mode "live" needs the id of the account that shall be traded')
    if config.mode == "live" and config.account.startswith(PAPER_PREFIX):
        raise ConfigError(f'account: {masked(config.account)} is a paper account, mode is "live"')
    if config.mode == "paper" and live_flag:
        raise ConfigError('--live: mode is "paper" in the configuration, "live" is needed there too')


def check_port(config: Config) -> None:
    """Refuse the usual port of the other mode.

    Raises:
        ConfigError: naming the port, and the one that is meant.
    """
    product, mode = _PORTS.get(config.broker.port, ("", config.mode))
    if mode == config.mode:
        return
    meant = next(port for port, kind in _PORTS.items() if kind == (product, config.mode))
    raise ConfigError(
        f'broker.port: {config.broker.port} is the {mode} port of {product}, mode is "{config.mode}", '
        f"its {config.mode} port is {meant}"
    )


def live_facts(config: Config, arming: Arming) -> dict[str, object]:
    """What is said at every live start and before arming: account, limits, who answers for them and since when."""
    risk = config.risk.model_dump()
    person = {key: risk.pop(key) for key in ("owner", "reviewed_on", "reason")}
    return {
        "account": config.account,
        **person,
        "armed_on": f"{arming.armed_on}",
        "armed_by": arming.armed_by,
        "limits": {key: "none" if value is None else value for key, value in risk.items()},
    }


def check_account(config: Config, reported: str, known: str = "") -> None:
    """Refuse a broker that reports another account than the configuration allows; nothing was sent yet.

    `known` is the account that the journal's book is of, empty if it is of none yet: a book never goes over to another.

    Raises:
        ConfigError: naming both accounts, masked.
    """
    at = f"broker {config.broker.host}:{config.broker.port}"
    if config.mode == "paper" and not reported.startswith(PAPER_PREFIX):
        raise ConfigError(f'{at}: reports account {masked(reported)}, which is not a paper account; mode is "paper"')
    if config.mode == "live" and reported.startswith(PAPER_PREFIX):
        raise ConfigError(f'{at}: reports the paper account {masked(reported)}; mode is "live"')
    if config.account and reported != config.account:
        raise ConfigError(f"{at}: reports account {masked(reported)}, the configuration names {masked(config.account)}")
    if known and reported != known:
        raise ConfigError(
            f"{at}: reports account {masked(reported)}, the journal is of {masked(known)}; log in to that one, or use "
            "another state_dir"
        )
