"""From a configuration to an engine: the same for the daemon, the nightly replay and the audit."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.engine.desk import Desk
from daemon.engine.engine import Engine
from daemon.engine.settings import EngineSettings, ExitPolicy, SizingPolicy, TruthPolicy
from risk.groups import Groups
from risk.limits import Limits
from shared.config import Config
from shared.config_groups import load_groups
from shared.config_sections import FixedFractionSizing, PercentExits, StrategyConfig
from shared.market import Universe
from strategies.registry import load_strategy


def build_engine(config: Config) -> Engine:
    """A fresh engine with no memory; ConfigError if a strategy cannot be loaded."""
    return engine_of(config, build_desks(config))


def build_desks(config: Config) -> list[Desk]:
    """The strategies of the configuration, each at its desk; ConfigError if one cannot be loaded."""
    universe = config.universe_of()
    return [_desk(config, strategy, universe) for strategy in config.strategies]


def engine_of(config: Config, desks: Sequence[Desk]) -> Engine:
    """A fresh engine over desks of the same configuration."""
    return Engine(settings=_settings(config), universe=config.universe_of(), desks=desks)


def _desk(config: Config, chosen: StrategyConfig, universe: Universe) -> Desk:
    symbols = config.symbols_of(chosen)
    mine = Universe(tuple(instrument for instrument in universe.instruments if instrument.symbol in symbols))
    return Desk(
        name=chosen.name,
        strategy=load_strategy(chosen.kind, mine, chosen.params, config.base_dir),
        universe=universe,
        allocation=chosen.allocation,
        sizing=_sizing(chosen),
        exits=_exits(chosen),
        jump_pct_max=config.risk.price_jump_pct_max,
    )


def _sizing(chosen: StrategyConfig) -> SizingPolicy:
    sizing = chosen.sizing
    if isinstance(sizing, FixedFractionSizing):
        return SizingPolicy(method="fixed_fraction", fraction=sizing.fraction)
    return SizingPolicy(
        method="atr",
        fraction=sizing.risk_fraction,
        atr_period=sizing.atr_period,
        atr_multiple=sizing.atr_multiple,
    )


def _exits(chosen: StrategyConfig) -> ExitPolicy:
    exits = chosen.exits
    if isinstance(exits, PercentExits):
        return ExitPolicy(
            method="percent",
            stop=exits.stop_pct,
            target=exits.target_pct,
            trail=exits.trail_pct,
            max_holding_s=exits.max_holding_s,
        )
    return ExitPolicy(
        method="atr",
        stop=exits.stop_atr,
        target=exits.target_atr,
        atr_period=exits.atr_period,
        trail=exits.trail_atr,
        max_holding_s=exits.max_holding_s,
    )


def _settings(config: Config) -> EngineSettings:
    return EngineSettings(
        interval_s=config.bars.interval_s,
        limits=Limits.of(config.risk),
        entry=config.execution.entry,
        limit_offset_bps=config.execution.limit_offset_bps,
        entry_timeout_s=config.execution.entry_timeout_s,
        acknowledge_within_s=config.execution.acknowledge_within_s,
        entry_after_open_s=config.session.entry_after_open_s,
        entry_before_close_s=config.session.entry_before_close_s,
        flatten_before_close_s=config.session.flatten_before_close_s,
        good_till_slack_s=config.execution.good_till_slack_s,
        entries_on_reconnect=config.execution.entries_on_reconnect,
        targets_on_reconnect=config.execution.targets_on_reconnect,
        self_trade=config.execution.self_trade,
        truth=TruthPolicy(
            foreign=config.reconcile.foreign,
            adopted_stop_pct=config.reconcile.adopted_stop_pct,
            gateway_zone=config.session.gateway_zone,
        ),
        groups=_groups(config),
        insider_strength=config.insiders.strength,
    )


def _groups(config: Config) -> Groups:
    if not config.risk.groups_file:
        return Groups()
    members, betas = load_groups(config.base_dir / config.risk.groups_file)
    return Groups(members=members, betas=betas)
