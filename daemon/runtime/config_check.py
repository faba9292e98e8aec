"""What a sound config.toml may still name wrongly: strategies that do not load, a calendar nobody knows, a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from daemon.runtime.action_keeper import actions_of
from shared.config import Config
from shared.config_sections import StrategyConfig
from shared.errors import ConfigError
from shared.sessions import session_at_or_after
from strategies.registry import load_strategy


def faults_beside_the_file(config: Config, now: datetime) -> list[str]:
    """One line for each; every strategy is loaded and given its parameters."""
    found = [fault for strategy in config.strategies for fault in strategy_faults(config, strategy)]
    return [*found, *calendar_faults(config, now), *action_faults(config)]


def strategy_faults(config: Config, strategy: StrategyConfig) -> Iterator[str]:
    try:
        load_strategy(strategy.kind, config.universe_of(), strategy.params, config.base_dir)
    except ConfigError as error:
        yield from (f"strategy[{strategy.name}]: {fault}" for fault in error.faults)


def action_faults(config: Config) -> Iterator[str]:
    try:
        if config.bars.actions:
            actions_of(config)
    except ConfigError as error:
        yield from error.faults


def calendar_faults(config: Config, now: datetime) -> Iterator[str]:
    try:
        session_at_or_after(config.session.calendar, now)
    except ConfigError as error:
        yield from error.faults
