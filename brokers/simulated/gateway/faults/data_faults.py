"""Faults 42 to 51: bars, ticks, history, halts, subscriptions, splits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from brokers.simulated.gateway.faults.fault import CLIENT, SYMBOL, Act, Aim, Fault, Meet, Parameters, Touch, Undo
from brokers.simulated.gateway.faults.report_faults import Delay, altered
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.answers import local_time
from brokers.simulated.gateway.protocol.message import Message

if TYPE_CHECKING:
    from brokers.simulated.gateway.faults.site import Site
    from brokers.simulated.gateway.protocol.wire import Value
    from brokers.simulated.gateway.runtime.client import Client

STREAMS = {
    "bars": frozenset({"realTimeBar"}),
    "ticks": frozenset({"tickPrice", "tickSize", "tickString", "tickGeneric", "tickByTick"}),
    "kept_history": frozenset({"historicalDataUpdate"}),
}
ALL_STREAMS = frozenset().union(*STREAMS.values())
BIDS, ASKS, LASTS = (1, 66), (2, 67), (4, 68)
CROSSED_BY, SPIKE_TIMES = 1.01, 1000.0
DAY_S = 86_400.0
Change = Callable[[Message], Iterable[Message]]
COMPETING = "No market data during competing live session"


# ------------------------------------------------------------------ 42, 43: streams


class Disorder(Parameters, frozen=True):
    how: Literal["gap", "duplicate", "reorder"] = "gap"
    delay_s: Delay = 5.0


def _disorder(site: Site, parameters: Disorder, client: Client, said: Message) -> Iterable[Message]:
    match parameters.how:
        case "gap":
            return ()
        case "duplicate":
            return said, said
        case "reorder":
            site.later(parameters.delay_s, client, said)
            return ()


class Stream(Parameters, frozen=True):
    what: Literal["all", "bars", "ticks", "kept_history"] = "all"


def _stop_streams(site: Site, parameters: Stream, aim: Aim) -> Undo:
    names = STREAMS.get(parameters.what, ALL_STREAMS)

    def swallow(client: Client, said: Message) -> Iterable[Message] | None:
        is_meant = said.name in names and aim.client in {None, client.client_id}
        return () if is_meant and aim.symbol in {"", site.symbol_of(client, said)} else None

    return site.filter(swallow)


# ------------------------------------------------------------------ 44 to 46: history


def _empty_first_answer(site: Site, _parameters: Parameters, client: Client, wanted: ask.ReqHistoricalData) -> bool:
    _next_answer(site, client, wanted, lambda said: (Message(said.layout, _without_bars(said)),))
    return False


def _without_bars(said: Message) -> dict[str, Value]:
    return {name: value for name, value in said.values.items() if "." not in name} | {"nBars": 0}


def _is_kept(_site: Site, _parameters: Parameters, _client: Client, wanted: ask.ReqHistoricalData) -> bool:
    return wanted.keep_up_to_date


class HistoryAnswer(Parameters, frozen=True):
    how: Literal["162", "366", "420", "200", "late", "never"] = "162"
    delay_s: Delay = 120.0


HISTORY_ERRORS = {
    "162": "Historical Market Data Service error message:HMDS query returned no data",
    "366": "No historical data query found for ticker id:{req_id}",
    "420": "Invalid Real-time Query:Historical data bar request pacing violation",
    "200": "No security definition has been found for the request",
}


def _answer_history(site: Site, parameters: HistoryAnswer, client: Client, wanted: ask.ReqHistoricalData) -> bool:
    if parameters.how in HISTORY_ERRORS:
        site.say(
            client, wanted.req_id, int(parameters.how), HISTORY_ERRORS[parameters.how].format(req_id=wanted.req_id)
        )
        return True
    if parameters.how == "never":
        return True

    def late(said: Message) -> Iterable[Message]:
        site.later(parameters.delay_s, client, said)
        return ()

    _next_answer(site, client, wanted, late)
    return False


def _next_answer(site: Site, client: Client, wanted: ask.ReqHistoricalData, change: Change) -> None:
    """Change the bars that answer this request."""

    def change_it(to: Client, said: Message) -> Iterable[Message] | None:
        if to is not client or said.name != "historicalData" or said.values.get("reqId") != wanted.req_id:
            return None
        take_out()
        return change(said)

    take_out = site.filter(change_it)


class HistoryStyle(Parameters, frozen=True):
    how: Literal["unknown_zone", "naive", "dates", "no_volume", "future_bar"] = "unknown_zone"


def _odd_history(site: Site, parameters: HistoryStyle, _client: Client, said: Message) -> Iterable[Message]:
    values, count = dict(said.values), int(str(said.values["nBars"]))
    for index in range(count):
        date = f"date.{index}"
        match parameters.how:
            case "unknown_zone":
                values[date] = f"{_bare(values[date])} Nowhere/Land"
            case "naive":
                values[date] = _bare(values[date])
            case "dates":
                values[date] = _bare(values[date])[:8]
            case "no_volume":
                values[f"volume.{index}"] = values[f"count.{index}"] = -1
            case "future_bar" if index == count - 1:
                values[date] = local_time(site.session.now() + DAY_S)
    return (Message(said.layout, values),)


def _bare(date: Value) -> str:
    """A bar's date as a local time without its zone; epochs are turned into one."""
    text = str(date)
    return local_time(float(text), "%Y%m%d %H:%M:%S") if len(text) > 8 and text.isdigit() else text[:17]  # noqa: PLR2004 - yyyymmdd


# ------------------------------------------------------------------ 47: ticks


class BadTick(Parameters, frozen=True):
    how: Literal["minus_one", "zero", "nan", "crossed", "spike", "frozen", "no_size"] = "minus_one"


def _spoil_tick(_site: Site, parameters: BadTick, _client: Client, said: Message) -> Iterable[Message]:
    price = said.values["price"]
    if not isinstance(price, int | float):
        return (said,)  # another rule has made NaN of it
    match parameters.how:
        case "minus_one":
            return (altered(said, price=-1, size=0),)
        case "zero":
            return (altered(said, price=0, size=0),)
        case "nan":
            return (altered(said, price="NaN"),)
        case "crossed":
            return (altered(said, price=round(price * CROSSED_BY, 2)),)
        case "spike":
            return (altered(said, price=price * SPIKE_TIMES),)
        case "no_size":
            return (altered(said, size=0),)
        case "frozen":
            return ()


def _is_spoiled(_site: Site, parameters: BadTick, said: Message) -> bool:
    """Bids and, but for the crossed quote, asks and last prices."""
    kinds = BIDS if parameters.how == "crossed" else BIDS + ASKS + LASTS
    return said.values["tickType"] in kinds


# ------------------------------------------------------------------ 48 to 50: halts and subscriptions


class Halt(Parameters, frozen=True):
    code: Literal[1, 2] = 2
    gap_pct: Annotated[float, Meta(gt=-90, le=100)] = 0.0


def _halt(site: Site, parameters: Halt, aim: Aim) -> Undo:
    """From the next step on; when it resumes its price is `gap_pct` elsewhere."""
    symbol = site.stock(aim).symbol
    site.market.halt(symbol, parameters.code)

    def resume() -> None:
        if parameters.gap_pct:
            site.market.move(symbol, 1 + parameters.gap_pct / 100, since=site.session.instant())
        site.market.resume(symbol)

    return resume


def _downgrade(site: Site, _parameters: Parameters, _aim: Aim) -> Undo:
    site.session.feed.set_entitled(live=False)
    return partial(site.session.feed.set_entitled, live=True)


def _compete(site: Site, _parameters: Parameters, _aim: Aim) -> Undo:
    conduct = site.session.feed.conduct
    conduct.competing_session = True
    for client in site.session.each_client():
        wants = client.subscriptions
        for req_id in (*wants.bars, *wants.ticks, *wants.tick_by_tick):
            site.say(client, req_id, 10197, COMPETING)

    def end() -> None:
        conduct.competing_session = False

    return end


# ------------------------------------------------------------------ 51: splits


class SplitRatio(Parameters, frozen=True):
    ratio: Annotated[float, Meta(gt=0, le=100)] = 2.0


def _split(site: Site, parameters: SplitRatio, aim: Aim) -> None:
    """New shares for old: price and average cost fall, positions grow, orders in the stock go with 202."""
    stock, session = site.stock(aim), site.session
    at = session.now()
    session.desk.apply_split(stock.con_id, parameters.ratio, at=at)
    for ledger in session.accounts:
        ledger.apply_split(stock.con_id, parameters.ratio, at=at)
    site.market.move(stock.symbol, 1 / parameters.ratio)


DATA_FAULTS = (
    Fault(number=42, name="bar_disorder", severity="mild", parameters=Disorder, way=Touch(("realTimeBar",), _disorder),
          text="A five-second bar is missing, comes twice, or behind its successor."),
    Fault(number=43, name="stream_stops", severity="rough", parameters=Stream,
          way=Act(_stop_streams, 600.0, (CLIENT, SYMBOL)),
          text="Streams stop without a word, the socket is fine."),
    Fault(number=44, name="empty_first_answer", severity="rough",
          way=Meet(ask.ReqHistoricalData, _empty_first_answer, _is_kept),
          text="History kept up to date begins with an empty answer."),
    Fault(number=45, name="history_refused", severity="mild", parameters=HistoryAnswer,
          way=Meet(ask.ReqHistoricalData, _answer_history),
          text="History is answered by 162, 366, 420 or 200, late, or never."),
    Fault(number=46, name="odd_history", severity="rough", parameters=HistoryStyle,
          way=Touch(("historicalData",), _odd_history, lambda _site, _how, said: said.values["nBars"] != 0),
          text="Bars with an unknown zone or none, with dates only, without volume, or one from tomorrow."),
    Fault(number=47, name="bad_ticks", severity="mild", parameters=BadTick,
          way=Touch(("tickPrice",), _spoil_tick, _is_spoiled),
          text="Prices of -1, 0 or NaN, a crossed quote, a spike of a thousand times, no size, or no change."),
    Fault(number=48, name="halt", severity="rough", parameters=Halt, way=Act(_halt, 300.0, (SYMBOL,)),
          text="A stock is halted, and resumes with a gap of `gap_pct`."),
    Fault(number=49, name="downgrade", severity="rough", way=Act(_downgrade, 1800.0),
          text="Live data become delayed data in the middle of the session."),
    Fault(number=50, name="competing_session", severity="rough", way=Act(_compete, 1800.0),
          text="Another login takes the market data: 10197 for half an hour."),
    Fault(number=51, name="split", severity="brutal", parameters=SplitRatio, way=Act(_split, None, (SYMBOL,)),
          text="A split: price, position and average cost follow, resting orders are gone."),
)  # fmt: skip
