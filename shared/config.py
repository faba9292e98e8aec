"""config.toml as one frozen object. Every fault is found at once and named with its line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationError

from shared.config_cluster import ClusterConfig
from shared.config_data import DataConfig
from shared.config_faults import Fault, describe, syntax_fault
from shared.config_features import FeaturesConfig
from shared.config_fields import choice, text
from shared.config_insiders import InsidersConfig
from shared.config_lines import index_lines, line_of
from shared.config_outside import (
    AlertChannelConfig,
    AlertsConfig,
    ControlConfig,
    JournalConfig,
    MetricsConfig,
    MqttConfig,
    NightlyConfig,
    ReconcileConfig,
)
from shared.config_rules import contradictions
from shared.config_section import Section
from shared.config_sections import (
    BarsConfig,
    BrokerConfig,
    ExecutionConfig,
    ReplayConfig,
    RiskConfig,
    RuntimeConfig,
    SessionConfig,
    StrategyConfig,
    UniverseConfig,
)
from shared.errors import ConfigError
from shared.market import Instrument, Universe


class Config(Section):
    """The whole file; `model_dump_json` and `model_validate_json` round-trip, without `base_dir`."""

    mode: Annotated[Literal["paper", "live"], choice("paper", "live")] = "paper"
    account: Annotated[str, text("an account id, or empty", "DU1234567", r"^[A-Z0-9]*$")] = ""
    state_dir: Annotated[str, text("a folder", "state")] = "state"
    log_dir: Annotated[str, text("a folder", "logs")] = "logs"
    broker: BrokerConfig = BrokerConfig()
    session: SessionConfig
    universe: UniverseConfig
    bars: BarsConfig = BarsConfig()
    strategies: tuple[StrategyConfig, ...] = Field(alias="strategy", strict=False, min_length=1)
    execution: ExecutionConfig
    risk: RiskConfig
    runtime: RuntimeConfig = RuntimeConfig()
    replay: ReplayConfig = ReplayConfig()
    journal: JournalConfig = JournalConfig()
    reconcile: ReconcileConfig = ReconcileConfig()
    control: ControlConfig = ControlConfig()
    mqtt: MqttConfig = MqttConfig()
    alerts: AlertsConfig = AlertsConfig()
    alert_channels: tuple[AlertChannelConfig, ...] = Field(alias="alert", strict=False, default=())
    metrics: MetricsConfig = MetricsConfig()
    cluster: ClusterConfig = ClusterConfig()
    insiders: InsidersConfig = InsidersConfig()
    data: DataConfig = DataConfig()
    features: FeaturesConfig = FeaturesConfig()
    nightly: NightlyConfig = NightlyConfig()
    _base_dir: Path = PrivateAttr(default=Path())

    @property
    def base_dir(self) -> Path:
        """The folder of config.toml, where the paths of strategy files start."""
        return self._base_dir

    def based_at(self, folder: Path) -> Config:
        """The same configuration, its strategy files looked up from `folder` (a dump does not carry it)."""
        copy = self.model_copy()
        copy._base_dir = folder  # noqa: SLF001 - our own private attribute on our own copy
        return copy

    @property
    def replay_actions(self) -> str:
        """The table of dividends and splits that a replay goes by: its own, else the daemon's; empty for none."""
        return self.replay.actions or self.bars.actions

    @property
    def stored_view(self) -> str:
        """How bars of the store are read: raw where a table says what happened to them, else as `[data]` says."""
        return "raw" if self.replay_actions else self.data.view

    def universe_of(self) -> Universe:
        """The instruments in the order of the file, which is the order of every row."""
        of = self.universe
        return Universe(
            tuple(
                Instrument(symbol=symbol, exchange=of.exchange, currency=of.currency, tick=of.tick)
                for symbol in of.symbols
            )
        )

    def symbols_of(self, strategy: StrategyConfig) -> tuple[str, ...]:
        """The symbols a strategy trades, in the universe's order; none named means all."""
        wanted = strategy.symbols or self.universe.symbols
        return tuple(symbol for symbol in self.universe.symbols if symbol in wanted)


def load_config(path: str | Path) -> Config:
    """The configuration in the file at `path`.

    Raises:
        ConfigError: with one line per fault, each `NAME:LINE: key: what is wrong, what is allowed`, sorted by
            line; NAME is `path` as it was given.
    """
    text = _read(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}:{syntax_fault(error, text)}") from None
    lines = index_lines(text)
    config, faults = _validated(data)
    faults += contradictions(data)
    if config is None or faults:
        located = sorted({(line_of(lines, where), what) for where, what in faults})
        raise ConfigError([f"{path}:{line}: {what}" for line, what in located])
    return config.based_at(Path(path).parent)


def _read(path: str | Path) -> str:
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found, name an existing file with --config") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a folder, name the config.toml in it") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        # As TOML has it: a line ends in LF or CRLF.
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        wrong = f"byte 0x{content[error.start]:02x} is not UTF-8, the file must be UTF-8 text"
        raise ConfigError(f"{path}:{line}: {wrong}") from None


def _validated(data: dict[str, Any]) -> tuple[Config | None, list[Fault]]:
    try:
        return Config.model_validate(data), []
    except ValidationError as error:
        return None, describe(error, Config, data)
