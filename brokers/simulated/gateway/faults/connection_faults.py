"""Faults 1 to 18 and 52: the connection to TWS, its restarts, its link to IB's servers, its clock."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from brokers.simulated.gateway.faults.fault import CLIENT, Act, Aim, Fault, NothingThere, Parameters, Touch, Undo
from brokers.simulated.gateway.protocol.answers import NO_REQUEST, error
from brokers.simulated.gateway.protocol.layout import Layout
from brokers.simulated.gateway.protocol.message import Message, message
from brokers.simulated.gateway.runtime.connections import ID_IN_USE

if TYPE_CHECKING:
    from brokers.simulated.gateway.faults.site import Site
    from brokers.simulated.gateway.runtime.client import Client

Count = Annotated[int, Meta(ge=1, le=1000)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
BIG_BYTES = 3_000_000
MOVED = "Socket port has been reset and this connection is being dropped. Please reconnect on the new port - "
UNKNOWN = Layout("unknown", 199, ("version=1", "text"))
GARBAGE = "abc"
NUMBERS = ("price", "size", "shares", "filled", "position", "close", "value", "commission", "totalQuantity", "code")
"""Fields that hold a number, the first one a message has is spoiled."""
WELL_AGAIN = {2103: 2104, 2105: 2106, 2107: 2106, 2108: 2104, 2157: 2158}


def _nothing() -> None:
    """What a control began ends by itself."""


# ------------------------------------------------------------------ 1 to 4: coming in


class Drops(Parameters, frozen=True):
    drop: bool = True


def _refuse(site: Site, parameters: Drops, aim: Aim) -> Undo:
    if parameters.drop:
        site.controls.drop(aim.client, "rst")
    site.controls.refuse_connections(aim.for_s)
    return site.controls.admit_connections


class Counted(Parameters, frozen=True):
    times: Count = 1


def _mute(site: Site, parameters: Counted, _aim: Aim) -> Undo:
    site.controls.mute_handshake(parameters.times)
    return partial(site.controls.mute_handshake, 0)


class Withheld(Parameters, frozen=True):
    what: Literal["accounts", "next_id", "both"] = "both"
    times: Count = 1


WITHHELD = {
    "accounts": ("managedAccounts",),
    "next_id": ("nextValidId",),
    "both": ("managedAccounts", "nextValidId"),
}


def _withhold(site: Site, parameters: Withheld, _aim: Aim) -> Undo:
    site.controls.withhold_on_connect(WITHHELD[parameters.what], parameters.times)
    return partial(site.controls.withhold_on_connect, (), 0)


class Closing(Parameters, frozen=True):
    reason: Literal["326", "none"] = "326"


def _close_on_connect(site: Site, parameters: Closing, aim: Aim) -> Undo:
    before = site.connections.on_admit

    def close(client: Client) -> None:
        before(client)
        if aim.client in {None, client.client_id}:
            if parameters.reason == "326":
                site.send(client, error(NO_REQUEST, *ID_IN_USE))
            site.controls.drop(client.client_id)

    site.connections.on_admit = close

    def admit_again() -> None:
        site.connections.on_admit = before

    return admit_again


# ------------------------------------------------------------------ 5, 6, 10: messages


def swallow(_site: Site, _parameters: Parameters, _client: Client, _message: Message) -> Iterable[Message]:
    return ()


class Malformed(Parameters, frozen=True):
    how: Literal["unknown_id", "short", "garbage"] = "unknown_id"


def _malform(_site: Site, parameters: Malformed, _client: Client, said: Message) -> Iterable[Message]:
    match parameters.how:
        case "unknown_id":
            return message(UNKNOWN, text="?"), said
        case "short":
            first = next(name for name in said.layout.entries if isinstance(name, str))
            return (Message(Layout(said.name, said.layout.id, (first,)), {}),)
        case "garbage":
            numbers = [name for name in NUMBERS if name in said.values][:1]  # none, in one that was cut short before
            return (Message(said.layout, {**said.values, **dict.fromkeys(numbers, GARBAGE)}),)


def _has_number(_site: Site, parameters: Malformed, said: Message) -> bool:
    return parameters.how != "garbage" or any(name in said.values for name in NUMBERS)


# ------------------------------------------------------------------ 7 to 9: the socket


def _freeze(site: Site, _parameters: Parameters, aim: Aim) -> Undo:
    site.controls.freeze(aim.for_s)
    return site.controls.thaw


class Dropped(Parameters, frozen=True):
    how: Literal["fin", "rst", "mid_frame"] = "mid_frame"


def _drop(site: Site, parameters: Dropped, aim: Aim) -> None:
    if not any(site.clients(aim)):
        raise NothingThere
    site.controls.drop(aim.client, parameters.how)


class Chopped(Parameters, frozen=True):
    big_frame: bool = False


def _chop(site: Site, parameters: Chopped, aim: Aim) -> Undo:
    site.controls.chop(on=True)
    if parameters.big_frame:
        for client in site.clients(aim):
            site.say(client, NO_REQUEST, 2100, "x" * BIG_BYTES)
    return partial(site.controls.chop, on=False)


# ------------------------------------------------------------------ 11, 12, 16, 17: restarts


class OldIds(Parameters, frozen=True):
    roll_back_ids: Annotated[int, Meta(ge=0, le=1000)] = 5
    forget_orders: bool = True


def _restart_with_old_ids(site: Site, parameters: OldIds, aim: Aim) -> Undo:
    site.controls.restart(aim.for_s, forget_orders=parameters.forget_orders, roll_back_ids=parameters.roll_back_ids)
    return site.controls.admit_connections


class OtherLogin(Parameters, frozen=True):
    account: Annotated[str, Meta(pattern=r"^(DU\d{5,9})?$")] = "DU9999999"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 0


def _restart_as_another(site: Site, parameters: OtherLogin, aim: Aim) -> Undo:
    """With another account, on another port, or both; 1300 names the port."""
    if parameters.port and not parameters.account:
        site.controls.move_port(parameters.port)
        return _nothing
    for client in site.clients(aim) if parameters.port else ():
        site.say(client, NO_REQUEST, 1300, f"{MOVED}{parameters.port}")
        client.flush()
    site.controls.restart(aim.for_s, account=parameters.account or None, port=parameters.port or None)
    return site.controls.admit_connections


def _reset_window(site: Site, _parameters: Parameters, aim: Aim) -> Undo:
    site.controls.reset_window(aim.for_s)
    return _nothing


def _wait_for_login(site: Site, _parameters: Parameters, aim: Aim) -> Undo:
    site.controls.restart(aim.for_s)
    return site.controls.admit_connections


# ------------------------------------------------------------------ 13 to 15: the servers


def _lose_server(site: Site, _parameters: Parameters, aim: Aim) -> Undo:
    site.controls.lose_server(aim.for_s, data_kept=True)
    return site.controls.restore_server


class Restored(Parameters, frozen=True):
    code: Literal[1101, 1102] = 1101


def _lose_data(site: Site, parameters: Restored, aim: Aim) -> Undo:
    """1101 says that streams are gone; a 1102 that lies leaves them silent (TWS.md 3.37)."""
    kept = parameters.code == 1102  # noqa: PLR2004 - the code of TWS.md 3.40
    site.controls.lose_server(aim.for_s, data_kept=kept)
    if kept:
        for client in site.clients(aim):
            client.subscriptions.forget_market_data()
    return partial(site.controls.restore_server, data_kept=kept)


class FarmStatus(Parameters, frozen=True):
    code: Literal[2103, 2105, 2107, 2108, 2157] = 2103
    farm: Annotated[str, Meta(min_length=1, max_length=20)] = "usfarm"
    times: Count = 1
    every_s: Seconds = 5.0


def _farm_storm(site: Site, parameters: FarmStatus, _aim: Aim) -> Undo:
    """Broken and well again in turns, `times` times over; the last word is that it is well."""

    def tell(code: int) -> None:
        site.controls.farm_status(code, parameters.farm)

    tell(parameters.code)
    for turn in range(1, parameters.times):
        at = parameters.every_s * turn
        site.session.agenda.after(at - parameters.every_s / 2, partial(tell, WELL_AGAIN[parameters.code]))
        site.session.agenda.after(at, partial(tell, parameters.code))
    return partial(tell, WELL_AGAIN[parameters.code])


# ------------------------------------------------------------------ 18, 52: pace and clock


class Pace(Parameters, frozen=True):
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50


def _pace(site: Site, parameters: Pace, _aim: Aim) -> Undo:
    before = site.session.messages_per_s, site.session.pacing
    site.controls.set_pacing(parameters.limit, "reject")
    return partial(site.controls.set_pacing, *before)


class Skew(Parameters, frozen=True):
    seconds: Annotated[float, Meta(ge=-7200, le=7200)] = 90.0


def _skew(site: Site, parameters: Skew, _aim: Aim) -> Undo:
    site.controls.skew_clock(parameters.seconds)
    return partial(site.controls.skew_clock, 0.0)


CONNECTION_FAULTS = (
    Fault(number=1, name="refuse_connections", severity="mild", parameters=Drops, way=Act(_refuse, 60.0),
          text="The port is refused for a while; `drop` ends the connections that stand."),
    Fault(number=2, name="mute_handshake", severity="mild", parameters=Counted, way=Act(_mute),
          text="The next `times` connections are accepted and their handshake is never answered."),
    Fault(number=3, name="withhold_on_connect", severity="rough", parameters=Withheld, way=Act(_withhold),
          text="The next `times` clients get a version, but no accounts or no nextValidId."),
    Fault(number=4, name="close_on_connect", severity="mild", parameters=Closing,
          way=Act(_close_on_connect, 30.0, (CLIENT,)),
          text="Whoever connects is closed at once, with 326 or without a reason."),
    Fault(number=5, name="swallow_position_end", severity="rough", way=Touch(("positionEnd",), swallow),
          text="positionEnd never comes."),
    Fault(number=6, name="swallow_executions_end", severity="rough", way=Touch(("execDetailsEnd",), swallow),
          text="execDetailsEnd never comes."),
    Fault(number=7, name="freeze", severity="mild", way=Act(_freeze, 30.0),
          text="TWS neither reads nor writes, every socket stays open; then all comes at once."),
    Fault(number=8, name="drop_connection", severity="mild", parameters=Dropped, way=Act(_drop, None, (CLIENT,)),
          text="The connection ends: FIN between frames, RST, or RST in the middle of a frame."),
    Fault(number=9, name="chop_frames", severity="mild", parameters=Chopped, way=Act(_chop, 600.0),
          text="Packets of a byte or a few; `big_frame` sends a frame of 3 MB first."),
    Fault(number=10, name="malformed_message", severity="rough", parameters=Malformed,
          way=Touch((), _malform, _has_number),
          text="A message with an unknown id comes first, or the message is short, or a number in it is not one."),
    Fault(number=11, name="restart_with_old_ids", severity="brutal", parameters=OldIds,
          way=Act(_restart_with_old_ids, 30.0),
          text="TWS restarts, gives out old order ids again and does not know the orders any more."),
    Fault(number=12, name="restart_as_another", severity="brutal", parameters=OtherLogin,
          way=Act(_restart_as_another, 30.0),
          text="TWS restarts with its orders but on another account, after 1300 when `port` changes too."),
    Fault(number=13, name="lose_server", severity="mild", way=Act(_lose_server, 60.0),
          text="1100, then 1102; what fills in between is not told."),
    Fault(number=14, name="lose_data", severity="mild", parameters=Restored, way=Act(_lose_data, 60.0),
          text="1100, then 1101 with every stream gone, or a 1102 after which they stay silent."),
    Fault(number=15, name="farm_storm", severity="mild", parameters=FarmStatus, way=Act(_farm_storm, 60.0),
          text="A data farm breaks or goes dormant `times` times, and is well at the end."),
    Fault(number=16, name="nightly_reset", severity="rough", way=Act(_reset_window, 5400.0),
          text="The link flaps with 1100 and 1102, then TWS restarts and refuses for 60 s."),
    Fault(number=17, name="wait_for_login", severity="brutal", way=Act(_wait_for_login, 86_400.0),
          text="TWS is gone and its port refused until a human has logged in, a day later."),
    Fault(number=18, name="reject_pace", severity="rough", parameters=Pace, way=Act(_pace, 600.0),
          text="More than `limit` messages a second get error 100, the third time a close."),
    Fault(number=52, name="clock_skew", severity="mild", parameters=Skew, way=Act(_skew, 600.0),
          text="reqCurrentTime is wrong by `seconds`; 3600 is a change to or from summer time."),
)  # fmt: skip
