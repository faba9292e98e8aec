"""Answers about contracts: details, symbols, price increments, and the empty answers of what is not traded here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from brokers.simulated.gateway.orders.refusals import UNKNOWN_CONTRACT, Refusal, invalid
from brokers.simulated.gateway.protocol import answers, data_answers, data_layouts, layouts
from brokers.simulated.gateway.protocol.message import Message, message
from brokers.simulated.market.trading_days import closes_at, is_trading_day, opens_at
from brokers.simulated.market_rules import MARKET_RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.protocol import data_requests as ask
    from brokers.simulated.gateway.protocol.request_shapes import ContractFields, Request
    from brokers.simulated.gateway.protocol.requests import ReqContractDetails
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

SMART = "SMART"
SAMPLES_MAX = 16
DAYS_SHOWN = 5
"""So many days, closed ones included, are in recorded contract details of 2025."""
OPENS_EARLY_S, STAYS_OPEN_S = 5.5 * 3600, 4 * 3600
"""Extended hours: from 04:00 to four hours after the close."""
NO_RULE = Refusal(321, "Error validating request.-'simulated gateway' : cause - Market rule id is not found")


def refuse(client: Client, req_id: int, refusal: Refusal) -> None:
    client.send(answers.error(req_id, refusal.code, refusal.text))


def stock_or_200(session: Session, client: Client, req_id: int, contract: ContractFields) -> Listed | None:
    """The stock that is meant; otherwise the client has been told 200."""
    stock = session.listings.find(contract)
    if stock is None:
        refuse(client, req_id, UNKNOWN_CONTRACT)
    return stock


def contract_details(session: Session, client: Client, request: ReqContractDetails) -> None:
    """One row per exchange that is meant: all of them when neither it nor the conId is given, as at TWS.

    (ib_insync, notebooks/contract_details.ipynb: AMD without an exchange is a long list that begins with SMART.)
    """
    wanted = request.contract
    stock = stock_or_200(session, client, request.req_id, wanted)
    if stock is None:
        return
    today = datetime.fromtimestamp(session.market.opens_at, UTC).astimezone(answers.ZONE).date()
    details = answers.contract_data(
        request.req_id, stock, hours_of(today, OPENS_EARLY_S, STAYS_OPEN_S), hours_of(today)
    )
    everywhere = not wanted.con_id and not wanted.exchange
    exchanges = dict.fromkeys((SMART, *answers.VENUES)) if everywhere else (wanted.exchange or SMART,)
    for exchange in exchanges:
        client.send(Message(details.layout, {**details.values, "exchange": exchange}))
    client.send(message(layouts.CONTRACT_DATA_END, reqId=request.req_id))


def hours_of(first: date, before_s: float = 0.0, after_s: float = 0.0) -> str:
    """`20131008:0930-20131008:1600;20131009:CLOSED`, as TWS writes the coming days."""
    told = []
    for day in (first + timedelta(days=number) for number in range(DAYS_SHOWN)):
        if is_trading_day(day):
            begins = answers.local_time(opens_at(day) - before_s, "%Y%m%d:%H%M")
            told.append(f"{begins}-{answers.local_time(closes_at(day) + after_s, '%Y%m%d:%H%M')}")
        else:
            told.append(f"{day:%Y%m%d}:CLOSED")
    return ";".join(told)


def matching_symbols(session: Session, client: Client, request: ask.ReqMatchingSymbols) -> None:
    found = session.listings.matching(request.pattern, SAMPLES_MAX)
    client.send(data_answers.symbol_samples(request.req_id, found))


def market_rule(_session: Session, client: Client, request: ask.ReqMarketRule) -> None:
    rule = MARKET_RULES.get(request.rule_id)
    if rule is None:
        refuse(client, answers.NO_REQUEST, NO_RULE)
    else:
        client.send(data_answers.market_rule(rule.id, rule.bands))


def sec_def_opt_params(session: Session, client: Client, request: ask.ReqSecDefOptParams) -> None:
    """Stocks without options: only the end; an underlying that is not listed gets 321, as at TWS."""
    if request.con_id not in session.listings.by_con_id:
        refuse(client, request.req_id, invalid(f"Invalid contract id {request.con_id}"))
    else:
        client.send(message(data_layouts.SEC_DEF_OPT_PARAMS_END, reqId=request.req_id))


def empty_list(_session: Session, client: Client, request: Request) -> None:
    """What this market has none of: family codes, depth exchanges, news providers, tiers, components."""
    client.send(_NOTHING[type(request).__name__](getattr(request, "req_id", 0)))


_NOTHING: dict[str, Callable[[int], Message]] = {
    "ReqFamilyCodes": lambda _: Message(data_layouts.FAMILY_CODES, {}),
    "ReqDepthExchanges": lambda _: Message(data_layouts.DEPTH_EXCHANGES, {}),
    "ReqNewsProviders": lambda _: Message(data_layouts.NEWS_PROVIDERS, {}),
    "ReqSoftDollarTiers": lambda req_id: message(data_layouts.SOFT_DOLLAR_TIERS, reqId=req_id),
    "ReqSmartComponents": lambda req_id: message(data_layouts.SMART_COMPONENTS, reqId=req_id),
}
