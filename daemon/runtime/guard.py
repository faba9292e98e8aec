"""Live trading needs three keys that agree: the configuration, the command line, the broker's own word."""

from __future__ import annotations

from shared.config import Config
from shared.errors import ConfigError
from shared.io.logging import masked

PAPER_PREFIX = "D"


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


def check_account(config: Config, reported: str) -> None:
    """Refuse a broker that reports another account than the configuration allows; nothing was sent yet.

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
