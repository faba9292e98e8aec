"""Safeguards before an entry leaves: the gate's rules, and the facts they rest on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from risk.trading_state import TradingState
from tests.simulation.safeguards.safeguard import Part, Safeguard, always, gate_without, returning


def _whole_days(session_at_or_after: Any) -> Any:
    """Every session lasts six and a half hours, as on an ordinary day of New York."""

    def instead(calendar_name: str, at: datetime) -> Any:
        hours = session_at_or_after(calendar_name, at)
        return replace(hours, closes_at=hours.opens_at + timedelta(hours=6.5))

    return instead


def _active(_state_of: Any) -> Any:
    """Whatever has tripped allows everything."""
    return lambda _self, _scope: TradingState.ACTIVE


def _believing_all(update: Any) -> Any:
    """Every print is a good price at once, however far it jumped."""

    def instead(self: Any, row: Any, closed_at: datetime, _jump_pct_max: float) -> Any:
        return update(self, row, closed_at, 1e12)

    return instead


ENTRIES = (
    Safeguard(
        name="reconciled_before_entries",
        guards="no entry before book and broker were compared since the last connection",
        breaks=("I13", "I12"),
        parts=(gate_without("reconciled", "unknown_orders"),),
    ),
    Safeguard(
        name="unknown_orders_block_entries",
        guards="no entry in an instrument while the fate of one of its orders is not known",
        breaks=("I13", "I3", "I7"),
        parts=(gate_without("unknown_orders"),),
    ),
    Safeguard(
        name="halt_blocks_entries",
        guards="nothing is entered in a trading state that a person or a limit has lowered",
        breaks=("I14", "I7"),
        parts=(gate_without("trading_state"),),
    ),
    Safeguard(
        name="entry_window",
        guards="entries only inside the session, away from its ends",
        breaks=("I9",),
        parts=(gate_without("session_window"),),
    ),
    Safeguard(
        name="half_days",
        guards="hours of the exchange's calendar, half days included",
        breaks=("I9",),
        parts=(Part("daemon.runtime.session:session_at_or_after", _whole_days),),
    ),
    Safeguard(
        name="instrument_lock",
        guards="no entry in an instrument whose quantity differs between book and broker",
        breaks=("I19", "I5"),
        parts=(gate_without("instrument_lock"),),
    ),
    Safeguard(
        name="fresh_data",
        guards="no entry on prices that are old, delayed or silent",
        breaks=("I10",),
        parts=(gate_without("price_stale", "data_quality"),),
    ),
    Safeguard(
        name="sane_quotes",
        guards="no entry on a crossed, one-sided or absurd quote",
        breaks=("I10",),
        parts=(gate_without("quote_sane"),),
    ),
    Safeguard(
        name="believable_prices",
        guards="a print that jumped is neither entered on nor taken for the last good price",
        breaks=("I10", "I11"),
        parts=(
            gate_without("price_unreasonable", "price_collar", "quote_sane"),
            Part("daemon.engine.prices:Prices.update", _believing_all),
        ),
    ),
    Safeguard(
        name="price_collar",
        guards="an entry pays no further than the collar from the last good price",
        breaks=("I11",),
        parts=(gate_without("price_collar", "price_unreasonable", "quote_sane"),),
    ),
    Safeguard(
        name="order_rate",
        guards="caps of entries a second, a minute, a day",
        breaks=("I8",),
        parts=(gate_without("order_rate"),),
    ),
    Safeguard(
        name="order_size",
        guards="an entry is no larger than the limits of one order",
        breaks=("I7",),
        parts=(gate_without("order_quantity_max", "order_notional_max"),),
    ),
    Safeguard(
        name="position_size",
        guards="position and what may still fill stay within the limits of a position",
        breaks=("I7",),
        parts=(gate_without("position_quantity_max", "position_notional_max"),),
    ),
    Safeguard(
        name="gross_exposure",
        guards="the account's worst case stays within its limit",
        breaks=("I7",),
        parts=(gate_without("gross_exposure_max"),),
    ),
    Safeguard(
        name="working_orders_count",
        guards="orders in flight and of unknown fate count for every limit",
        breaks=("I7",),
        parts=(Part("daemon.engine.exposure:Stake.work", returning(None)),),
    ),
    Safeguard(
        name="latches_hold",
        guards="a limit that has tripped allows only what reduces, until a person resets it",
        breaks=("I7", "I14"),
        parts=(Part("daemon.engine.breakers:Breakers.state_of", _active),),
    ),
    Safeguard(
        name="flat_before_the_close",
        guards="positions are closed before the session ends, where that is configured",
        breaks=("I9",),
        parts=(Part("daemon.engine.trader:Trader._is_closing_time", returning(value=False)),),
    ),
    Safeguard(
        name="complete_report",
        guards="a report with a part missing does not open the way for entries",
        breaks=("I12", "I13"),
        parts=(Part("shared.events:BrokerReported.is_complete", always(value=True)),),
    ),
    Safeguard(
        name="report_of_this_connection",
        guards="an answer that was under way when the line broke proves nothing",
        breaks=("I13",),
        parts=(Part("daemon.engine.truth:Truth._is_of_this_connection", returning(value=True)),),
    ),
)
