"""Which function answers which request, and what is said to requests this gateway does not simulate."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from brokers.simulated.gateway.accounts import account_values, executions, profit, statements
from brokers.simulated.gateway.data import bars, contracts, history, past_ticks, scanner, tick_by_tick, ticks
from brokers.simulated.gateway.orders import trading
from brokers.simulated.gateway.orders.refusals import Refusal, invalid, unreadable
from brokers.simulated.gateway.protocol import answers
from brokers.simulated.gateway.protocol import data_requests as data
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.reading import REQUESTS, decode
from brokers.simulated.gateway.protocol.request_shapes import Request
from brokers.simulated.gateway.protocol.wire import Unreadable, fields_of, integer_of
from brokers.simulated.gateway.runtime.message_ids import id_of

if TYPE_CHECKING:
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

log = logging.getLogger(__name__)

Handler = Callable[[Any, Any, Any], None]

HANDLERS: dict[type[Request], Handler] = {
    ask.ReqManagedAccounts: statements.managed_accounts,
    ask.ReqIds: statements.ids,
    ask.ReqCurrentTime: statements.current_time,
    ask.SetServerLogLevel: statements.server_log_level,
    ask.ReqPositions: statements.positions,
    ask.CancelPositions: statements.cancel_positions,
    ask.ReqPositionsMulti: statements.positions_multi,
    ask.CancelPositionsMulti: statements.cancel_positions_multi,
    ask.ReqAccountUpdates: account_values.account_updates,
    ask.ReqAccountUpdatesMulti: account_values.account_updates_multi,
    ask.CancelAccountUpdatesMulti: account_values.cancel_account_updates_multi,
    ask.ReqAccountSummary: account_values.account_summary,
    ask.CancelAccountSummary: account_values.cancel_account_summary,
    ask.ReqExecutions: executions.executions,
    ask.PlaceOrder: trading.place_order,
    ask.CancelOrder: trading.cancel_order,
    ask.ReqGlobalCancel: trading.global_cancel,
    ask.ReqOpenOrders: trading.open_orders,
    ask.ReqAllOpenOrders: trading.all_open_orders,
    ask.ReqAutoOpenOrders: trading.auto_open_orders,
    ask.ReqCompletedOrders: trading.completed_orders,
    ask.ReqContractDetails: contracts.contract_details,
    ask.ReqMarketDataType: ticks.market_data_type,
    ask.ReqMarketData: ticks.market_data,
    ask.CancelMarketData: ticks.cancel_market_data,
    ask.ReqHistoricalData: history.historical_data,
    ask.CancelHistoricalData: history.cancel_historical_data,
    ask.ReqRealTimeBars: bars.real_time_bars,
    ask.CancelRealTimeBars: bars.cancel_real_time_bars,
    data.ReqMatchingSymbols: contracts.matching_symbols,
    data.ReqMarketRule: contracts.market_rule,
    data.ReqSecDefOptParams: contracts.sec_def_opt_params,
    data.ReqFamilyCodes: contracts.empty_list,
    data.ReqDepthExchanges: contracts.empty_list,
    data.ReqNewsProviders: contracts.empty_list,
    data.ReqSoftDollarTiers: contracts.empty_list,
    data.ReqSmartComponents: contracts.empty_list,
    data.ReqHeadTimestamp: past_ticks.head_timestamp,
    data.CancelHeadTimestamp: past_ticks.cancel_head_timestamp,
    data.ReqHistoricalTicks: past_ticks.historical_ticks,
    data.ReqTickByTick: tick_by_tick.tick_by_tick,
    data.CancelTickByTick: tick_by_tick.cancel_tick_by_tick,
    data.ReqPnL: profit.pnl,
    data.CancelPnL: profit.cancel_pnl,
    data.ReqPnLSingle: profit.pnl_single,
    data.CancelPnLSingle: profit.cancel_pnl,
    data.ReqScannerParameters: scanner.scanner_parameters,
    data.ReqScannerSubscription: scanner.scanner_subscription,
    data.CancelScannerSubscription: scanner.cancel_scanner_subscription,
}

CHANGING = (ask.PlaceOrder, ask.CancelOrder, ask.ReqGlobalCancel)
"""Requests after which there is something that a restart must not forget."""

KNOWN_IDS_MAX = 105
SIMULATED = frozenset(kind for kind, request in REQUESTS.items() if request in HANDLERS)


def answer(session: Session, client: Client, payload: bytes) -> None:
    """Answer one frame of a client: never silence, never an exception."""
    fields = fields_of(payload)
    session.answering = client
    try:
        if integer_of("message id", fields[0] if fields else "") in SIMULATED:
            _handle(session, client, decode(fields, client.version))
        else:
            _not_simulated(client, fields)
    except Unreadable as fault:
        _say(client, _id_in(fields), unreadable(str(fault)))
    except Exception as mistake:
        log.exception("client %d: request %s failed", client.client_id, fields[:3])
        session.on_failure(mistake)
        _say(client, _id_in(fields), Refusal(322, "Error processing request."))
    finally:
        session.answering = None
    session.settle()


def _handle(session: Session, client: Client, request: Request) -> None:
    if session.on_request is not None and session.on_request(client, request):
        return
    if isinstance(request, CHANGING):
        session.changes += 1
    HANDLERS[type(request)](session, client, request)


def _say(client: Client, req_id: int, refusal: Refusal) -> None:
    client.send(answers.error(req_id, refusal.code, refusal.text))


def _not_simulated(client: Client, fields: list[str]) -> None:
    kind = integer_of("message id", fields[0] if fields else "")
    if 0 < kind <= KNOWN_IDS_MAX:
        _say(client, _id_in(fields), invalid(f"request {kind} is not simulated"))
    else:
        _say(client, answers.NO_REQUEST, unreadable(f"Unknown message id {kind}"))


def _id_in(fields: list[str]) -> int:
    """The id a request is about, so that whoever waits for its answer hears of the error."""
    return int(id_of(fields) or answers.NO_REQUEST)
