"""Faults 19 to 26: how orders, executions and commissions are told. Only messages change, the books do not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from brokers.simulated.gateway.faults.fault import CLIENT, SYMBOL, Act, Aim, Fault, NothingThere, Parameters, Touch
from brokers.simulated.gateway.protocol.answers import ZONE, ZONE_NAME, error
from brokers.simulated.gateway.protocol.message import Message
from brokers.simulated.gateway.protocol.wire import UNSET_DOUBLE

if TYPE_CHECKING:
    from brokers.simulated.gateway.faults.site import Site
    from brokers.simulated.gateway.runtime.client import Client

Delay = Annotated[float, Meta(gt=0, le=86_400)]
HOUR_S = 3600.0
LIVE = -1
"""The request id of executions that answer no request."""
FILLS = ("Filled", "Submitted", "PreSubmitted")


def altered(said: Message, **values: object) -> Message:
    """The same message with other values."""
    return Message(said.layout, {**said.values, **values})  # type: ignore[dict-item]  # values of the wire


# ------------------------------------------------------------------ 19: duplicates


class Repeated(Parameters, frozen=True):
    times: Annotated[int, Meta(ge=1, le=100)] = 1
    after_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0


def _repeat(site: Site, parameters: Repeated, client: Client, said: Message) -> Iterable[Message]:
    if not parameters.after_s:
        return (said,) * (1 + parameters.times)
    for turn in range(parameters.times):
        site.later(parameters.after_s * (turn + 1), client, said)
    return (said,)


# ------------------------------------------------------------------ 20 to 23: order and time of messages


class StatusOrder(Parameters, frozen=True):
    how: Literal["exec_only", "status_first", "late"] = "exec_only"
    delay_s: Delay = 30.0


def _reorder_status(site: Site, parameters: StatusOrder, client: Client, said: Message) -> Iterable[Message]:
    if parameters.how != "exec_only":
        site.later(parameters.delay_s, client, said)
    return ()


def _is_moved(_site: Site, parameters: StatusOrder, said: Message) -> bool:
    """The execution and its commission for `status_first`, otherwise what tells the order's new state."""
    if parameters.how == "status_first":
        return said.name in {"execDetails", "commissionReport"} and said.values.get("reqId", LIVE) == LIVE
    if said.name == "openOrder":
        return said.values.get("status") == "Filled"
    return said.name == "orderStatus" and said.values.get("filled", 0) != 0


class Late(Parameters, frozen=True):
    delay_s: Delay = 1.0


def _delay(site: Site, parameters: Late, client: Client, said: Message) -> Iterable[Message]:
    site.later(parameters.delay_s, client, said)
    return ()


def _is_live(_site: Site, _parameters: Parameters, said: Message) -> bool:
    return said.values.get("reqId", LIVE) == LIVE


class Commission(Parameters, frozen=True):
    how: Literal["late", "never", "unset"] = "late"
    delay_s: Delay = HOUR_S


def _commission(site: Site, parameters: Commission, client: Client, said: Message) -> Iterable[Message]:
    match parameters.how:
        case "late":
            site.later(parameters.delay_s, client, said)
            return ()
        case "never":
            return ()
        case "unset":
            return (altered(said, realizedPnl=UNSET_DOUBLE),)


# ------------------------------------------------------------------ 24: corrections


class Correction(Parameters, frozen=True):
    """What the last execution is corrected to: its price moved by `price_by`, its shares times `shares_times`."""

    price_by: Annotated[float, Meta(ge=-1000, le=1000)] = 0.01
    shares_times: Annotated[float, Meta(ge=0, le=1)] = 1.0


def _correct(site: Site, parameters: Correction, aim: Aim) -> None:
    """Not one of before a split that the account did not hold: nobody could know what its shares are now."""
    done = [
        one
        for ledger in site.session.accounts
        for one in ledger.executions
        if aim.client in {None, one.client_id} and aim.symbol in {"", one.symbol} and not ledger.was_split_unheld(one)
    ]
    if not done:
        raise NothingThere
    last = max(done, key=lambda one: one.at)
    site.session.desk.bust_or_correct(
        last.exec_id,
        price=round(last.price + parameters.price_by, 6),
        quantity=float(round(last.quantity * parameters.shares_times)),
    )


# ------------------------------------------------------------------ 25: times


_LOCAL_TIME = re.compile(rf"(\d{{8}} \d\d:\d\d:\d\d)( {ZONE_NAME})?")


class TimeStyle(Parameters, frozen=True):
    style: Literal["utc_dash", "no_zone", "two_spaces", "other_zone", "unknown_zone"] = "utc_dash"


def _odd_time(_site: Site, parameters: TimeStyle, _client: Client, said: Message) -> Iterable[Message]:
    plain = _LOCAL_TIME.fullmatch(str(said.values["time"]))
    if plain is None:  # another rule of this fault has altered it already
        return (said,)
    local = datetime.strptime(plain[1], "%Y%m%d %H:%M:%S").replace(tzinfo=ZONE)
    text = {
        "utc_dash": f"{local.astimezone(UTC):%Y%m%d-%H:%M:%S}",
        "no_zone": f"{local:%Y%m%d %H:%M:%S}",
        "two_spaces": f"{local:%Y%m%d  %H:%M:%S}",
        "other_zone": f"{local.astimezone(UTC):%Y%m%d %H:%M:%S} Universal",
        "unknown_zone": f"{local:%Y%m%d %H:%M:%S} Nowhere/Land",
    }[parameters.style]
    return (altered(said, time=text),)


# ------------------------------------------------------------------ 26: warnings


class Warned(Parameters, frozen=True):
    code: Literal[399, 404, 2109, 10311, 10349] = 10349


WARNINGS = {
    399: "Order Message:\\nWarning: Your order will not be placed at the exchange until the next session.",
    404: "Order held while securities are located.",
    2109: "Order Event Warning:Attribute 'Outside Regular Trading Hours' is ignored based on the order type and "
    "destination. PlaceOrder is now being processed.",
    10311: "This order will be directly routed to the exchange. Direct routed orders may result in higher trade fees.",
    10349: "Order TIF was set to DAY based on order preset.",
}


def _warn(_site: Site, parameters: Warned, _client: Client, said: Message) -> Iterable[Message]:
    order_id = said.values["orderId"]
    assert isinstance(order_id, int)
    return said, error(order_id, parameters.code, WARNINGS[parameters.code].replace("\\n", "\n"))


def _is_new_order(site: Site, _parameters: Warned, said: Message) -> bool:
    return said.values["status"] in FILLS and site.is_first("status", said.values["permId"], said)


REPORT_FAULTS = (
    Fault(number=19, name="duplicate_executions", severity="mild", parameters=Repeated,
          way=Touch(("orderStatus", "execDetails", "commissionReport"), _repeat),
          text="orderStatus, execDetails and commissionReport come more than once."),
    Fault(number=20, name="status_order", severity="mild", parameters=StatusOrder,
          way=Touch(("orderStatus", "openOrder", "execDetails", "commissionReport"), _reorder_status, _is_moved),
          text="The status of a fill comes never, before its execution, or long after it."),
    Fault(number=22, name="commission_first", severity="mild", parameters=Late,
          way=Touch(("execDetails",), _delay, _is_live),
          text="commissionReport comes before the execution it is about."),
    Fault(number=23, name="commission_late", severity="mild", parameters=Commission,
          way=Touch(("commissionReport",), _commission),
          text="commissionReport comes an hour late, or never, or with an unset realised profit."),
    Fault(number=24, name="correct_execution", severity="rough", parameters=Correction,
          way=Act(_correct, None, (CLIENT, SYMBOL)),
          text="The last execution is corrected: the same id with a higher last part, other price or fewer shares."),
    Fault(number=25, name="odd_execution_time", severity="rough", parameters=TimeStyle,
          way=Touch(("execDetails",), _odd_time),
          text="An execution's time is in UTC with a dash, has no zone, or one that nobody knows."),
    Fault(number=26, name="placement_warning", severity="mild", parameters=Warned,
          way=Touch(("orderStatus",), _warn, _is_new_order),
          text="A new order draws 399, 404, 2109, 10311 or 10349 and is live all the same."),
)  # fmt: skip
