"""config.toml as a frozen, strict object. Every fault is found at once and named with its line.

The models below are the reference of the file: docs/configuration.md is held against them by a test. Limits,
execution, session hours, sizing and exits have no defaults in code; the gateway's address, the pace of the
loops and the assumptions of the replay do.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    ValidationError,
)
from pydantic.fields import FieldInfo

from shared.config_faults import Fault, describe, syntax_fault
from shared.config_lines import index_lines, line_of
from shared.config_rules import contradictions
from shared.errors import ConfigError
from shared.market import Instrument, Universe

BARS_OF_A_DAY_S = 86_400
_BAR_STEP_S = 5
_BAR_INTERVAL_S_MAX = 3_600


def _field(kind: str, allowed: str, example: object, **rules: Any) -> FieldInfo:  # noqa: ANN401 - Field's own
    """A field whose faults read `must be KIND, ALLOWED` (shared/config_faults.py)."""
    field: FieldInfo = Field(examples=[example], json_schema_extra={"kind": kind, "allowed": allowed}, **rules)
    return field


def _whole(least: int, most: int, example: int) -> FieldInfo:
    return _field("a whole number", f"{least} to {most}", example, ge=least, le=most)


def _number(least: float, most: float, example: float) -> FieldInfo:
    return _field("a number", f"{least:.12g} to {most:.12g}", example, ge=least, le=most)


def _positive(most: float, example: float) -> FieldInfo:
    return _field("a number", f"above 0 and at most {most:.12g}", example, gt=0, le=most)


def _text(allowed: str, example: str, pattern: str = ".") -> FieldInfo:
    return _field("a text", allowed, example, pattern=pattern)


def _choice(*words: str) -> FieldInfo:
    return _field("a text", " or ".join(f'"{word}"' for word in words), words[0])


def _switch(example: bool) -> FieldInfo:
    return _field("", "true or false", example)


def _list(what: str, example: list[str], least: int = 0) -> FieldInfo:
    # TOML has arrays only; strict Python would ask for a tuple.
    return _field("", f"a list of {what}", example, strict=False, min_length=least)


def _bar_interval(seconds: int) -> int:
    if seconds == BARS_OF_A_DAY_S or (0 < seconds <= _BAR_INTERVAL_S_MAX and seconds % _BAR_STEP_S == 0):
        return seconds
    raise ValueError


def _parameter(value: object) -> object:
    if isinstance(value, bool | int | str) or (isinstance(value, float) and abs(value) < float("inf")):
        return value
    raise ValueError


_INTERVAL = _field("a whole number", "a multiple of 5 up to 3600, or 86400 (daily bars)", 60)
_PARAMS = _field("", "a table such as { fast = 5, slow = 20 }", {})
_KIND = _text("the name of a shipped strategy or the path of a .py file", "sma_cross", r"^([a-z][a-z0-9_]*|.+\.py)$")
_SYMBOL = _text(
    'up to 12 uppercase letters, digits, dots or blanks, such as "SPY"',
    "SPY",
    r"^[A-Z0-9][A-Z0-9. ]{0,11}$",
)
_COMMISSION = _choice("ib_fixed", "ib_tiered", "none")
_INTRABAR = _choice("pessimistic", "skip_entry_bar")
Parameter = Annotated[
    bool | int | float | str, PlainValidator(_parameter), _field("a number, a text or a switch", "", 5)
]
Symbol = Annotated[str, _SYMBOL]


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        serialize_by_alias=True,
    )


class BrokerConfig(_Section):
    """[broker]: where TWS or IB Gateway listens; by default Openbell's own simulated gateway."""

    host: Annotated[str, _text("a host name or address", "127.0.0.1")] = "127.0.0.1"
    port: Annotated[int, _whole(1, 65_535, 4010)] = 4010
    client_id: Annotated[int, _whole(0, 2_147_483_647, 7)] = 7
    connect_timeout_s: Annotated[float, _positive(600, 10)] = 10.0
    request_timeout_s: Annotated[float, _positive(600, 10)] = 10.0
    follow_gateway_clock: Annotated[bool, _switch(True)] = False


class SessionConfig(_Section):
    """[session]: when entries are allowed, and whether the day ends flat."""

    calendar: Annotated[str, _text("a calendar name of exchange_calendars", "XNYS")]
    entry_after_open_s: Annotated[int, _whole(0, 86_400, 60)]
    entry_before_close_s: Annotated[int, _whole(0, 86_400, 900)]
    flatten_before_close_s: Annotated[int, _whole(0, 86_400, 300)]


class UniverseConfig(_Section):
    """[universe]: the only instruments that are ever traded."""

    symbols: Annotated[tuple[Symbol, ...], _list("at least one symbol", ["SPY", "IBM"], least=1)]
    exchange: Annotated[str, _text("an exchange of IB", "SMART")] = "SMART"
    currency: Annotated[str, _text("three uppercase letters", "USD", r"^[A-Z]{3}$")] = "USD"
    tick: Annotated[float, _positive(1_000, 0.01)] = 0.01


class BarsConfig(_Section):
    """[bars]: the rhythm of the decisions."""

    interval_s: Annotated[int, AfterValidator(_bar_interval), _INTERVAL] = 60
    warm_up: Annotated[int, _whole(0, 100_000, 60)] = 60
    row_grace_s: Annotated[float, _number(0, 60, 2)] = 2.0


class FixedFractionSizing(_Section):
    """Quantity worth `fraction` of the strategy's capital share at full conviction."""

    method: Literal["fixed_fraction"]
    fraction: Annotated[float, _positive(1, 0.1)]


class AtrSizing(_Section):
    """Quantity that loses `risk_fraction` of the strategy's capital if price moves `atr_multiple` ATRs."""

    method: Literal["atr"]
    risk_fraction: Annotated[float, _positive(1, 0.01)]
    atr_period: Annotated[int, _whole(1, 10_000, 14)]
    atr_multiple: Annotated[float, _positive(100, 2)]


class PercentExits(_Section):
    """Stop and target as percent of the entry price; `target_pct = 0` means no target."""

    method: Literal["percent"]
    stop_pct: Annotated[float, _positive(50, 1)]
    target_pct: Annotated[float, _number(0, 1_000, 2)]


class AtrExits(_Section):
    """Stop and target as multiples of the average true range; `target_atr = 0` means no target."""

    method: Literal["atr"]
    atr_period: Annotated[int, _whole(1, 10_000, 14)]
    stop_atr: Annotated[float, _positive(100, 2)]
    target_atr: Annotated[float, _number(0, 1_000, 3)]


class StrategyConfig(_Section):
    """[[strategy]]: one strategy, its share of equity, how it sizes and how it gets out."""

    name: Annotated[str, _text("1 to 24 of a-z, 0-9 and _", "sma", r"^[a-z0-9_]{1,24}$")]
    kind: Annotated[str, _KIND]
    symbols: Annotated[tuple[Symbol, ...], _list("symbols of the universe", ["SPY"])] = ()
    params: Annotated[dict[str, Parameter], _PARAMS] = Field(default_factory=dict)
    allocation: Annotated[float, _positive(1, 0.5)]
    sizing: Annotated[FixedFractionSizing | AtrSizing, Field(discriminator="method")]
    exits: Annotated[PercentExits | AtrExits, Field(discriminator="method")]


class ExecutionConfig(_Section):
    """[execution]: how an entry is sent and how long it may take."""

    entry: Annotated[Literal["market", "limit"], _choice("market", "limit")]
    limit_offset_bps: Annotated[float, _number(0, 1_000, 5)]
    entry_timeout_s: Annotated[float, _positive(86_400, 120)]
    acknowledge_within_s: Annotated[float, _positive(600, 10)]


class RiskConfig(_Section):
    """[risk]: every limit of the gate (docs/risk.md); all are required."""

    max_order_quantity: Annotated[int, _whole(1, 10_000_000, 500)]
    max_order_notional: Annotated[float, _positive(1e9, 60_000)]
    max_position_quantity: Annotated[int, _whole(1, 10_000_000, 1000)]
    max_position_notional: Annotated[float, _positive(1e9, 100_000)]
    max_gross_exposure: Annotated[float, _positive(10, 1)]
    price_collar_pct: Annotated[float, _positive(50, 5)]
    price_jump_pct_max: Annotated[float, _positive(1_000, 20)]
    price_age_max_s: Annotated[float, _positive(864_000, 120)]
    protect_within_s: Annotated[float, _positive(60, 5)]


class RuntimeConfig(_Section):
    """[runtime]: the pace of the daemon's loops."""

    heartbeat_every_s: Annotated[float, _positive(3_600, 10)] = 10.0
    reconcile_every_s: Annotated[float, _positive(3_600, 30)] = 30.0
    snapshot_every_events: Annotated[int, _whole(1, 1_000_000, 1000)] = 1_000
    inbox_size_max: Annotated[int, _whole(100, 10_000_000, 10_000)] = 10_000


class ReplayConfig(_Section):
    """[replay]: what the nightly backtest assumes about money and fills (DESIGN.md 10)."""

    starting_cash: Annotated[float, _positive(1e12, 1_000_000)] = 1_000_000.0
    slippage_bps: Annotated[float, _number(0, 1_000, 1)] = 1.0
    commission: Annotated[Literal["ib_fixed", "ib_tiered", "none"], _COMMISSION] = "ib_fixed"
    participation: Annotated[float, _positive(1, 0.1)] = 0.1
    intrabar: Annotated[Literal["pessimistic", "skip_entry_bar"], _INTRABAR] = "pessimistic"


class Config(_Section):
    """The whole file; `model_dump_json` and `model_validate_json` round-trip, without `base_dir`."""

    mode: Annotated[Literal["paper", "live"], _choice("paper", "live")] = "paper"
    account: Annotated[str, _text("an account id, or empty", "DU1234567", r"^[A-Z0-9]*$")] = ""
    state_dir: Annotated[str, _text("a folder", "state")] = "state"
    log_dir: Annotated[str, _text("a folder", "logs")] = "logs"
    broker: BrokerConfig = BrokerConfig()
    session: SessionConfig
    universe: UniverseConfig
    bars: BarsConfig = BarsConfig()
    strategies: tuple[StrategyConfig, ...] = Field(alias="strategy", strict=False, min_length=1)
    execution: ExecutionConfig
    risk: RiskConfig
    runtime: RuntimeConfig = RuntimeConfig()
    replay: ReplayConfig = ReplayConfig()
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
