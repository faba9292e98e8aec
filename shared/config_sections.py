"""The sections of config.toml, frozen and strict. docs/configuration.md is held against them by a test.

Limits, execution, session hours, sizing and exits have no defaults in code; addresses, the pace of the loops and the
assumptions of the replay do.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator

from shared.config_fields import (
    CountLimit,
    MoneyLimit,
    MultipleLimit,
    PercentLimit,
    choice,
    field,
    list_of,
    number,
    positive,
    switch,
    text,
    whole,
)
from shared.config_section import Section

BARS_OF_A_DAY_S = 86_400
_BAR_STEP_S = 5
_BAR_INTERVAL_S_MAX = 3_600


def _bar_interval(seconds: int) -> int:
    if seconds == BARS_OF_A_DAY_S or (0 < seconds <= _BAR_INTERVAL_S_MAX and seconds % _BAR_STEP_S == 0):
        return seconds
    raise ValueError


def _parameter(value: object) -> object:
    if isinstance(value, bool | int | str) or (isinstance(value, float) and abs(value) < float("inf")):
        return value
    raise ValueError


_TIME_OF_DAY = r"^(([01]\d|2[0-3]):[0-5]\d)?$"
_INTERVAL = field("a whole number", "a multiple of 5 up to 3600, or 86400 (daily bars)", 60)
_PARAMS = field("", "a table such as { fast = 5, slow = 20 }", {})
_KIND = text("the name of a shipped strategy or the path of a .py file", "sma_cross", r"^([a-z][a-z0-9_]*|.+\.py)$")
_SYMBOL = text(
    'up to 12 uppercase letters, digits, dots or blanks, such as "SPY"',
    "SPY",
    r"^[A-Z0-9][A-Z0-9. ]{0,11}$",
)
_COMMISSION = choice("ib_fixed", "ib_tiered", "none")
_INTRABAR = choice("pessimistic", "skip_entry_bar")
_SPREAD_ESTIMATE = choice("corwin_schultz", "abdi_ranaldo")
_TABLE = text("empty, or the path of a .csv or .parquet table", "", r"^$|.+\.(csv|parquet)$")
Parameter = Annotated[
    bool | int | float | str, PlainValidator(_parameter), field("a number, a text or a switch", "", 5)
]
Symbol = Annotated[str, _SYMBOL]


class BrokerConfig(Section):
    """[broker]: where TWS or IB Gateway listens; by default Openbell's own simulated gateway."""

    host: Annotated[str, text("a host name or address", "127.0.0.1")] = "127.0.0.1"
    port: Annotated[int, whole(1, 65_535, 4010)] = 4010
    client_id: Annotated[int, whole(0, 2_147_483_647, 7)] = 7
    data_client_id: Annotated[int, whole(0, 2_147_483_647, 8)] = 8
    connect_timeout_s: Annotated[float, positive(600, 10)] = 10.0
    request_timeout_s: Annotated[float, positive(600, 10)] = 10.0
    follow_gateway_clock: Annotated[bool, switch(True)] = False
    quotes: Annotated[bool, switch(True)] = True
    codes_file: Annotated[str, text("a TOML file, or empty", "codes.toml", "")] = ""


class SessionConfig(Section):
    """[session]: when entries are allowed, and whether the day ends flat."""

    calendar: Annotated[str, text("a calendar name of exchange_calendars", "XNYS")]
    entry_after_open_s: Annotated[int, whole(0, 86_400, 60)]
    entry_before_close_s: Annotated[int, whole(0, 86_400, 900)]
    flatten_before_close_s: Annotated[int, whole(0, 86_400, 300)]
    gateway_restart_at: Annotated[str, text('a time of day such as "23:45", or empty', "23:45", _TIME_OF_DAY)] = "23:45"
    gateway_zone: Annotated[str, text("a time zone such as America/New_York", "America/New_York")] = "America/New_York"
    quiet_before_restart_s: Annotated[int, whole(0, 7_200, 300)] = 300
    quiet_after_restart_s: Annotated[int, whole(0, 7_200, 300)] = 300


class UniverseConfig(Section):
    """[universe]: the only instruments that are ever traded."""

    symbols: Annotated[tuple[Symbol, ...], list_of("at least one symbol", ["SPY", "IBM"], least=1)]
    exchange: Annotated[str, text("an exchange of IB", "SMART")] = "SMART"
    currency: Annotated[str, text("three uppercase letters", "USD", r"^[A-Z]{3}$")] = "USD"
    tick: Annotated[float, positive(1_000, 0.01)] = 0.01


class BarsConfig(Section):
    """[bars]: the rhythm of the decisions."""

    interval_s: Annotated[int, AfterValidator(_bar_interval), _INTERVAL] = 60
    warm_up: Annotated[int, whole(0, 100_000, 60)] = 60
    row_grace_s: Annotated[float, number(0, 60, 2)] = 2.0
    actions: Annotated[str, _TABLE] = ""


class FixedFractionSizing(Section):
    """Quantity worth `fraction` of the strategy's capital share at full conviction."""

    method: Literal["fixed_fraction"]
    fraction: Annotated[float, positive(1, 0.1)]


class AtrSizing(Section):
    """Quantity that loses `risk_fraction` of the strategy's capital if price moves `atr_multiple` ATRs."""

    method: Literal["atr"]
    risk_fraction: Annotated[float, positive(1, 0.01)]
    atr_period: Annotated[int, whole(1, 10_000, 14)]
    atr_multiple: Annotated[float, positive(100, 2)]


class PercentExits(Section):
    """Stop and target as percent of the entry price; `target_pct = 0` means no target."""

    method: Literal["percent"]
    stop_pct: Annotated[float, positive(50, 1)]
    target_pct: Annotated[float, number(0, 1_000, 2)]
    trail_pct: Annotated[float, number(0, 50, 1)] = 0.0
    max_holding_s: Annotated[int, whole(0, 31_536_000, 3_600)] = 0


class AtrExits(Section):
    """Stop and target as multiples of the average true range; `target_atr = 0` means no target."""

    method: Literal["atr"]
    atr_period: Annotated[int, whole(1, 10_000, 14)]
    stop_atr: Annotated[float, positive(100, 2)]
    target_atr: Annotated[float, number(0, 1_000, 3)]
    trail_atr: Annotated[float, number(0, 100, 2)] = 0.0
    max_holding_s: Annotated[int, whole(0, 31_536_000, 3_600)] = 0


class StrategyConfig(Section):
    """[[strategy]]: one strategy, its share of equity, how it sizes and how it gets out."""

    name: Annotated[str, text("1 to 24 of a-z, 0-9 and _", "sma", r"^[a-z0-9_]{1,24}$")]
    kind: Annotated[str, _KIND]
    symbols: Annotated[tuple[Symbol, ...], list_of("symbols of the universe", ["SPY"])] = ()
    params: Annotated[dict[str, Parameter], _PARAMS] = Field(default_factory=dict)
    allocation: Annotated[float, positive(1, 0.5)]
    sizing: Annotated[FixedFractionSizing | AtrSizing, Field(discriminator="method")]
    exits: Annotated[PercentExits | AtrExits, Field(discriminator="method")]


class ExecutionConfig(Section):
    """[execution]: how an entry is sent and how long it may take."""

    entry: Annotated[Literal["market", "limit"], choice("market", "limit")]
    limit_offset_bps: Annotated[float, number(0, 1_000, 5)]
    entry_timeout_s: Annotated[float, positive(86_400, 120)]
    acknowledge_within_s: Annotated[float, positive(600, 10)]
    good_till_slack_s: Annotated[float, positive(86_400, 30)] = 30.0
    entries_on_reconnect: Annotated[Literal["cancel", "keep"], choice("cancel", "keep")] = "cancel"
    targets_on_reconnect: Annotated[Literal["keep", "cancel"], choice("keep", "cancel")] = "keep"
    self_trade: Annotated[Literal["refuse", "allow"], choice("refuse", "allow")] = "refuse"


class RiskConfig(Section):
    """[risk]: every limit of the gate (docs/risk.md); all are required."""

    max_order_quantity: Annotated[int, whole(1, 10_000_000, 500)]
    max_order_notional: Annotated[float, positive(1e9, 60_000)]
    max_position_quantity: Annotated[int, whole(1, 10_000_000, 1000)]
    max_position_notional: Annotated[float, positive(1e9, 100_000)]
    max_gross_exposure: Annotated[float, positive(10, 1)]
    price_collar_pct: Annotated[float, positive(50, 5)]
    price_jump_pct_max: Annotated[float, positive(1_000, 20)]
    price_age_max_s: Annotated[float, positive(864_000, 120)]
    protect_within_s: Annotated[float, positive(60, 5)]
    max_net_exposure: MultipleLimit
    max_beta_exposure: MultipleLimit
    max_group_exposure: MultipleLimit
    max_var_pct: PercentLimit
    max_cvar_pct: PercentLimit
    max_buying_power_use_pct: PercentLimit
    max_day_loss: MoneyLimit
    max_week_loss: MoneyLimit
    max_drawdown_pct: PercentLimit
    max_strategy_day_loss: MoneyLimit
    max_instrument_day_loss: MoneyLimit
    max_day_slippage: MoneyLimit
    max_losses_in_a_row: CountLimit
    max_rejects_in_a_row: CountLimit
    max_unknown_orders: CountLimit
    max_orders_per_s: CountLimit
    max_orders_per_min: CountLimit
    max_orders_per_day: CountLimit
    max_entries_in_window: CountLimit
    entry_window_s: Annotated[float, positive(86_400, 600)]
    duplicate_window_s: Annotated[float, number(0, 86_400, 30)]
    account_age_max_s: Annotated[float, positive(86_400, 300)]
    max_account_drift_pct: PercentLimit
    allow_short: Annotated[bool, switch(True)]
    owner: Annotated[str, text("the name of the person who answers for these limits", "you")]
    reviewed_on: Annotated[str, text("a day such as 2026-11-21", "2026-11-21", r"^\d{4}-\d{2}-\d{2}$")]
    reason: Annotated[str, text("why these limits", "paper account of 1,000,000 USD")]
    groups_file: Annotated[str, text("a TOML file, or empty", "groups.toml", "")] = ""


class RuntimeConfig(Section):
    """[runtime]: the pace of the daemon's loops."""

    heartbeat_every_s: Annotated[float, positive(3_600, 10)] = 10.0
    reconcile_every_s: Annotated[float, positive(3_600, 30)] = 30.0
    snapshot_every_events: Annotated[int, whole(1, 1_000_000, 1000)] = 1_000
    inbox_size_max: Annotated[int, whole(100, 10_000_000, 10_000)] = 10_000


class ReplayConfig(Section):
    """[replay]: what the nightly backtest assumes about money and fills (DESIGN.md 10)."""

    starting_cash: Annotated[float, positive(1e12, 1_000_000)] = 1_000_000.0
    slippage_bps: Annotated[float, number(0, 1_000, 1)] = 1.0
    commission: Annotated[Literal["ib_fixed", "ib_tiered", "none"], _COMMISSION] = "ib_fixed"
    participation: Annotated[float, positive(1, 0.1)] = 0.1
    intrabar: Annotated[Literal["pessimistic", "skip_entry_bar"], _INTRABAR] = "pessimistic"
    spread_share: Annotated[float, number(0, 2, 0.5)] = 0.0
    spread_estimate: Annotated[Literal["corwin_schultz", "abdi_ranaldo"], _SPREAD_ESTIMATE] = "corwin_schultz"
    spreads: Annotated[str, _TABLE] = ""
    impact: Annotated[float, number(0, 10, 1)] = 0.0
    liquidity_sessions: Annotated[int, whole(5, 250, 20)] = 20
    actions: Annotated[str, _TABLE] = ""
    borrow_bps: Annotated[float, number(0, 100_000, 50)] = 50.0
    borrow: Annotated[str, _TABLE] = ""
    debit_rate_pct: Annotated[float, number(0, 100, 6)] = 6.0
    credit_rate_pct: Annotated[float, number(0, 100, 0)] = 0.0
    rates: Annotated[str, _TABLE] = ""
    debit_spread_pct: Annotated[float, number(0, 100, 1.5)] = 1.5
    credit_spread_pct: Annotated[float, number(-100, 0, -0.5)] = -0.5
