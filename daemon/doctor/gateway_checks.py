"""What can be wrong between us and TWS or IB Gateway. Menu paths are those of TWS 10; Gateway: Configure > Settings."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from brokers.ib.probe import GatewayFacts
from daemon.doctor.check import Check, Finding, fail, ok, skip, warn
from shared.config import Config
from shared.io.logging import masked

PORTS = {7496: "live", 4001: "live", 7497: "paper", 4002: "paper", 4010: "simulated"}
_SETTINGS = "TWS: File > Global Configuration > API > Settings"
_OFFSET_WARN_S, _OFFSET_FAIL_S = 2.0, 10.0
_DATA_CODES = {
    354: "no market data subscription",
    10089: "no market data subscription for the API",
    10090: "part of the market data is not subscribed",
    10167: "delayed market data only",
    10168: "no market data, and delayed data are off",
    10197: "another login has taken the market data",
}
_PACING = frozenset({100, 162, 420})
_LINK_LOST = frozenset({1100, 2110, 1300})


class Visited(Struct, frozen=True, kw_only=True):
    """The configuration and what the gateway said."""

    config: Config
    gateway: GatewayFacts

    @property
    def at(self) -> str:
        return f"{self.config.broker.host}:{self.config.broker.port}"


Judge = Callable[[Visited], Finding]


def _when_ready(judge: Judge) -> Judge:
    """The judgement, if the visit came so far that accounts were told."""

    def judged(facts: Visited) -> Finding:
        return judge(facts) if facts.gateway.is_ready else skip("the gateway was not asked")

    return judged


def _host(facts: Visited) -> Finding:
    if facts.gateway.door == "unknown_host":
        return fail(f"broker.host = {facts.config.broker.host}: no such host ({facts.gateway.door_text})")
    return ok(facts.config.broker.host)


def _port(facts: Visited) -> Finding:
    if facts.gateway.door == "unknown_host":
        return skip("no host")
    return (
        fail(f"{facts.at}: nobody listens") if facts.gateway.door == "closed" else ok(f"{facts.at}: somebody listens")
    )


def _port_of_mode(facts: Visited) -> Finding:
    mode, port = facts.config.mode, facts.config.broker.port
    kind = PORTS.get(port)
    if kind is None:
        return ok(f"port {port} is none of the usual ones")
    fits = kind == mode or (kind == "simulated" and mode == "paper")
    return ok(f"port {port} is {kind}, mode is {mode}") if fits else fail(f"port {port} is {kind}, mode is {mode}")


def _protocol(facts: Visited) -> Finding:
    match facts.gateway.door:
        case "other":
            return fail(f"{facts.at}: speaks another protocol (said {facts.gateway.door_text})")
        case "closed_again":
            return fail(f"{facts.at}: closes the connection at once, API off or this address not trusted")
        case "closed" | "unknown_host":
            return skip("nobody listens")
    return ok(f"{facts.at}: a TWS or a gateway")


def _handshake(facts: Visited) -> Finding:
    if facts.gateway.door == "silent":
        return fail(f"{facts.at}: takes the connection and says nothing")
    return ok("answered") if facts.gateway.door == "tws" else skip("no TWS there")


def _version(facts: Visited) -> Finding:
    version = facts.gateway.server_version
    if version is None:
        return skip("no TWS there")
    return ok(f"server version {version}") if version >= 157 else fail(f"server version {version}, 157 is the least")  # noqa: PLR2004


def _ready(facts: Visited) -> Finding:
    if facts.gateway.is_ready is None:
        return skip("no TWS there")
    if facts.gateway.is_ready or facts.gateway.id_refused:
        return ok("logged in")
    return fail("takes the connection but names no account: the login is not finished, or a window waits for an answer")


def _client_id(facts: Visited) -> Finding:
    if facts.gateway.id_refused is None:
        return skip("no TWS there")
    number = facts.config.broker.client_id
    return fail(f"client id {number} is in use") if facts.gateway.id_refused else ok(f"client id {number} is free")


def _data_client_id(facts: Visited) -> Finding:
    number = facts.config.broker.data_client_id
    return fail(f"client id {number} is in use") if facts.gateway.data_id_refused else ok(f"client id {number} is free")


def _link(facts: Visited) -> Finding:
    lost = facts.gateway.codes() & _LINK_LOST
    return fail(f"TWS has lost IB's servers ({min(lost)})") if lost else ok("TWS is connected to IB")


def _account(facts: Visited) -> Finding:
    wanted, told = facts.config.account, facts.gateway.accounts or ()
    shown = ", ".join(masked(account) for account in told) or "none"
    if wanted and wanted not in told:
        return fail(f"account {masked(wanted)} is not among those of the login: {shown}")
    if not wanted and len(told) > 1:
        return fail(f"the login has several accounts ({shown}), the configuration names none")
    return ok(shown)


def _account_of_mode(facts: Visited) -> Finding:
    mode, told = facts.config.mode, facts.gateway.accounts or ()
    account = facts.config.account or (told[0] if told else "")
    is_paper = account.startswith("D")
    if not account or is_paper == (mode == "paper"):
        return ok(f"mode {mode}")
    return fail(f"account {masked(account)} is a {'paper' if is_paper else 'live'} account, mode is {mode}")


def _clock(facts: Visited) -> Finding:
    offset = facts.gateway.clock_offset_s
    if offset is None:
        return skip("the time was not told")
    if facts.gateway.is_simulated and facts.config.broker.follow_gateway_clock:
        return ok("the clock of the simulated gateway is followed")
    text = f"this machine is {abs(offset):g} s {'ahead of' if offset > 0 else 'behind'} the broker"
    if abs(offset) > _OFFSET_FAIL_S:
        return fail(text)
    return warn(text) if abs(offset) > _OFFSET_WARN_S else ok(text)


def _known(facts: Visited) -> Finding:
    unknown = [symbol for symbol, listed in (facts.gateway.listed or {}).items() if not listed.matches]
    return fail(f"unknown there: {', '.join(unknown)}") if unknown else ok("every symbol is known")


def _unambiguous(facts: Visited) -> Finding:
    several = [symbol for symbol, listed in (facts.gateway.listed or {}).items() if listed.matches > 1]
    return fail(f"more than one contract: {', '.join(several)}") if several else ok("one contract for each symbol")


def _tick(facts: Visited) -> Finding:
    ours = facts.config.universe.tick
    listed = (facts.gateway.listed or {}).items()
    other = [f"{symbol} {entry.tick:g}" for symbol, entry in listed if entry.tick is not None and entry.tick > ours]
    return fail(f"universe.tick = {ours:g} is finer than {', '.join(other)}") if other else ok(f"tick {ours:g}")


def _market_data(facts: Visited) -> Finding:
    if facts.gateway.has_quotes is None:
        return skip("no symbol to ask for")
    said = [text for code, text in _DATA_CODES.items() if code in facts.gateway.codes()]
    if said:
        return fail(said[0])
    return ok("quotes come") if facts.gateway.has_quotes else warn("no quote came, is the market closed?")


def _history(facts: Visited) -> Finding:
    if facts.gateway.history_bars is None:
        return skip("no symbol to ask for")
    return ok(f"{facts.gateway.history_bars} bars") if facts.gateway.history_bars else fail("no bars of the last days")


def _pacing(facts: Visited) -> Finding:
    said = [f"{code} {text}" for code, text in facts.gateway.errors if code in _PACING and "acing" in text]
    return warn(said[0]) if said else ok("no pacing violation")


def _orders(facts: Visited) -> Finding:
    if facts.config.account and facts.config.account not in (facts.gateway.accounts or ()):
        return skip("the account is not there")
    if facts.gateway.orders_accepted is None:
        return skip("no symbol to ask for")
    if facts.gateway.orders_accepted:
        return ok("a what-if order was answered, nothing was sent to the market")
    return fail(facts.gateway.orders_refused or "a what-if order was not answered")


def _strangers(facts: Visited) -> Finding:
    strange = facts.gateway.strange_orders
    if strange is None:
        return skip("orders were not asked for")
    return warn(f"orders that are not ours: {', '.join(strange)}") if strange else ok("no orders of others")


CHECKS: tuple[Check[Visited], ...] = (
    Check(name="gateway_host", judge=_host, remedy="correct broker.host; for this machine 127.0.0.1"),
    Check(
        name="gateway_port",
        judge=_port,
        remedy=f"start TWS or Gateway and log in; {_SETTINGS} > Enable ActiveX and Socket Clients; same Socket port",
    ),
    Check(
        name="port_of_mode",
        judge=_port_of_mode,
        remedy="paper: TWS 7497, Gateway 4002; live: TWS 7496, Gateway 4001; set broker.port or mode",
    ),
    Check(
        name="gateway_protocol",
        judge=_protocol,
        remedy=f"another program has this port, or {_SETTINGS} > Trusted IPs lacks this machine",
    ),
    Check(
        name="gateway_handshake",
        judge=_handshake,
        remedy="TWS hangs or shows a window (incoming connection, login): answer it, or restart TWS",
    ),
    Check(name="gateway_version", judge=_version, remedy="update TWS or IB Gateway to 10.19 or later"),
    Check(
        name="gateway_ready",
        judge=_ready,
        remedy="finish the login (two-factor), close open windows of TWS, then run the doctor again",
    ),
    Check(
        name="client_id",
        judge=_client_id,
        remedy="stop the other program or daemon, or set another broker.client_id (never while orders of it work)",
    ),
    Check(
        name="data_client_id",
        judge=_when_ready(_data_client_id),
        remedy="stop the other program, or set another broker.data_client_id",
    ),
    Check(
        name="server_link",
        judge=_when_ready(_link),
        remedy="wait for the reset window to end, check TWS's own connection light and the internet",
    ),
    Check(name="account", judge=_when_ready(_account), remedy="write the account id into account in config.toml"),
    Check(
        name="account_of_mode",
        judge=_when_ready(_account_of_mode),
        remedy="log in to the other kind of account, or change mode; paper accounts begin with D",
    ),
    Check(
        name="clock",
        judge=_when_ready(_clock),
        remedy="timedatectl set-ntp true; a simulated gateway: broker.follow_gateway_clock = true",
    ),
    Check(name="symbols_known", judge=_when_ready(_known), remedy="correct universe.symbols, exchange and currency"),
    Check(
        name="symbols_unambiguous",
        judge=_when_ready(_unambiguous),
        remedy="name one exchange in universe.exchange instead of SMART, or leave the symbol out",
    ),
    Check(name="tick", judge=_when_ready(_tick), remedy="set universe.tick to the coarsest of them"),
    Check(
        name="market_data",
        judge=_when_ready(_market_data),
        remedy="Client Portal > Settings > Market Data Subscriptions, and share them with the paper account; "
        "end other sessions of the same user",
    ),
    Check(
        name="history", judge=_when_ready(_history), remedy="subscribe market data; try again outside the reset hours"
    ),
    Check(
        name="pacing", judge=_when_ready(_pacing), remedy="wait ten minutes; fewer symbols or programs at this gateway"
    ),
    Check(name="orders_accepted", judge=_when_ready(_orders), remedy=f"{_SETTINGS}: untick Read-Only API"),
    Check(
        name="orders_of_others",
        judge=_when_ready(_strangers),
        remedy="they are reported and left alone (reconcile.foreign); cancel them if nobody needs them",
    ),
)
