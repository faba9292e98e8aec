"""A row of the catalogue: what goes wrong, what may be said about it, and how it is brought about.

A fault is one of three: a `Touch` changes messages on their way to a client, a `Meet` is there when a request
comes, an `Act` happens at an instant and may last. All three get a Site (site.py) and their own parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct

from brokers.simulated.gateway.protocol.message import Message
from brokers.simulated.gateway.protocol.request_shapes import Request

if TYPE_CHECKING:
    from brokers.simulated.gateway.faults.site import Site
    from brokers.simulated.gateway.runtime.client import Client

Severity: TypeAlias = Literal["mild", "rough", "brutal"]
Undo: TypeAlias = Callable[[], None]


class Parameters(Struct, frozen=True, kw_only=True):
    """What a fault may be told beside when and whom; each field has its default and its allowed range."""


CLIENT, SYMBOL = "client", "symbol"


class Aim(Struct, frozen=True, kw_only=True):
    """Whom a fault is meant for (None and an empty symbol: everybody), and how many market seconds it lasts."""

    client: int | None = None
    symbol: str = ""
    for_s: float = 0.0


class NothingThere(Exception):  # noqa: N818 - names what the fault found
    """There is no order, position or client for the fault yet: it waits for the next one."""


class Touch(Struct, frozen=True):
    """`alter` says what leaves instead of a message; `messages` are protocol names, empty: all of them.

    `concerns` sees every message of these kinds once and says which of them the fault means.
    """

    messages: tuple[str, ...]
    alter: Callable[[Site, Any, Client, Message], Iterable[Message]]
    concerns: Callable[[Site, Any, Message], bool] = lambda _site, _parameters, _message: True


class Meet(Struct, frozen=True):
    """`meet` is called before a request is answered; True: the request is dealt with."""

    request: type[Request]
    meet: Callable[[Site, Any, Client, Any], bool]
    concerns: Callable[[Site, Any, Client, Any], bool] = lambda _site, _parameters, _client, _request: True


class Act(Struct, frozen=True):
    """`begin` brings it about and returns what ends it, if anything is to end. Raises NothingThere.

    `aims` says whether it can be meant for one client or one symbol; without, it happens to everybody.
    """

    begin: Callable[[Site, Any, Aim], Undo | None]
    lasts_s: float | None = None
    """So many market seconds unless the rule says otherwise; None: it lasts until somebody ends it."""
    aims: tuple[str, ...] = ()


class Fault(Struct, frozen=True, kw_only=True):
    """One line of TWS.md 4. `severity` is the calmest level of seeded faults that draws it."""

    number: int
    name: str
    text: str
    way: Touch | Meet | Act
    severity: Severity
    parameters: type[Parameters] = Parameters

    @property
    def kinds(self) -> tuple[str, ...]:
        """The messages or the request it meets; of an act none: any message may set it off."""
        match self.way:
            case Touch(messages):
                return messages
            case Meet(request):
                return (protocol_name(request),)
            case _:
                return ()


def protocol_name(request: type[Request]) -> str:
    """A request's name in the protocol: `placeOrder`."""
    return request.__name__[0].lower() + request.__name__[1:]
