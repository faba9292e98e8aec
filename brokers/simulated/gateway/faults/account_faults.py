"""Faults 53 and 54: positions and account values that are late, missing or make no sense."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from brokers.simulated.gateway.accounts.records import SplitApplied
from brokers.simulated.gateway.faults.fault import Fault, Parameters, Touch
from brokers.simulated.gateway.faults.report_faults import Delay, altered
from brokers.simulated.gateway.protocol import answers
from brokers.simulated.gateway.protocol.message import Message

if TYPE_CHECKING:
    from brokers.simulated.gateway.accounts.ledger import Ledger
    from brokers.simulated.gateway.accounts.position import Position
    from brokers.simulated.gateway.faults.site import Site
    from brokers.simulated.gateway.runtime.client import Client

POSITIONS, END = ("position", "positionMulti", "portfolio"), "positionEnd"
VALUES = ("accountValue", "accountSummary", "accountUpdateMulti")
STALLED = ("portfolio", "updateTime")
"""What else belongs to an account update."""


class PositionLag(Parameters, frozen=True):
    """`lag` delays positions and portfolio alike, `disagree` the positions only; `old`: both are of `delay_s` ago.

    Of no moment before a split, though: the night in which it is booked books everything.
    """

    how: Literal["lag", "disagree", "old"] = "lag"
    delay_s: Delay = 5.0


def _lag(site: Site, parameters: PositionLag, client: Client, said: Message) -> Iterable[Message]:
    if parameters.how == "old":
        since = site.session.now() - parameters.delay_s
        return [*_closed_since(site, since), said] if said.name == END else _as_of(site, since, said)
    site.later(parameters.delay_s, client, said)
    return ()


def _is_late(_site: Site, parameters: PositionLag, said: Message) -> bool:
    if said.name == END:
        return parameters.how == "old"
    return parameters.how != "disagree" or said.name != "portfolio"


def _as_of(site: Site, since: float, said: Message) -> Iterable[Message]:
    account = str(said.values.get("account", said.values.get("accountName")))
    held = site.session.accounts[account].positions[int(str(said.values["conId"]))]
    then = held.quantity - _moved_since(site.session.accounts[account], held, since)
    if said.name == "portfolio":
        return (altered(said, position=then, marketValue=then * held.price),)
    return (altered(said, position=then),) if then else ()


def _closed_since(site: Site, since: float) -> Iterable[Message]:
    for ledger in site.session.accounts:
        for held in list(ledger.positions.values()):
            then = 0.0 if held.quantity else -_moved_since(ledger, held, since)
            if then:
                shown = replace(held, quantity=then, average_cost=held.price)
                yield answers.position(shown, site.session.listings.by_con_id[held.con_id], ledger.account)


def _moved_since(ledger: Ledger, held: Position, since: float) -> float:
    """Signed shares."""
    splits = (entry.at for entry in ledger.records if isinstance(entry, SplitApplied) and entry.con_id == held.con_id)
    since = max([since, *splits])
    young = (done for done in ledger.executions if done.con_id == held.con_id and done.at > since)
    return sum(done.quantity if done.side == "BUY" else -done.quantity for done in young)


class OddValues(Parameters, frozen=True):
    """`what` is the tag that is NaN or missing; `currency` is what all amounts are said to be in; `stalled` is all."""

    how: Literal["currency", "nan", "missing", "stalled"] = "nan"
    what: Annotated[str, Meta(min_length=1, max_length=60)] = "BuyingPower"
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "EUR"


def _odd_value(_site: Site, parameters: OddValues, _client: Client, said: Message) -> Iterable[Message]:
    match parameters.how:
        case "currency":
            return (altered(said, currency=parameters.currency),)
        case "nan":
            return (altered(said, value="NaN"),)
        case "missing" | "stalled":
            return ()


def _is_odd(_site: Site, parameters: OddValues, said: Message) -> bool:
    if parameters.how == "stalled":
        return True
    if parameters.how == "currency" and said.name in VALUES:
        return said.values.get("currency") == "USD"
    return parameters.what in {said.values.get("key"), said.values.get("tag")}


ACCOUNT_FAULTS = (
    Fault(number=53, name="position_lag", severity="mild", parameters=PositionLag,
          way=Touch((*POSITIONS, END), _lag, _is_late),
          text="Positions come seconds after their fills, are those of before, or disagree with the portfolio."),
    Fault(number=54, name="odd_account_values", severity="rough", parameters=OddValues,
          way=Touch((*VALUES, *STALLED), _odd_value, _is_odd),
          text="Account values in another currency, NaN, missing, or none at all for a while."),
)  # fmt: skip
