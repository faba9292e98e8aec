"""What can be done to the gateway from outside: refuse, freeze, drop, restart, lose the servers.

Tests call these by hand (`gateway.controls`), nights.py at their hours, the faults when they are armed. Every
duration is in market seconds and ends by the session's agenda, so a virtual clock plays them too; while the clock
stands (`wait_for_client`) they last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from brokers.simulated.gateway.protocol.answers import NO_REQUEST, error
from brokers.simulated.gateway.runtime.connections import FARM_TEXTS
from brokers.simulated.gateway.runtime.session import FARMS

if TYPE_CHECKING:
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.connections import Connections
    from brokers.simulated.gateway.runtime.session import Session

Manner = Literal["fin", "rst", "mid_frame"]
FLAP_DOWN_S, FLAP_UP_S = 120.0, 180.0
"""In a reset window the link is down and up again in turns."""
RESTART_DOWN_S = 60.0
LOST = (1100, "Connectivity between IB and Trader Workstation has been lost.")
RESTORED_DATA_LOST = (
    1101,
    "Connectivity between IB and Trader Workstation has been restored - data lost. Please resubscribe.",
)
RESTORED_DATA_KEPT = (
    1102,
    "Connectivity between IB and Trader Workstation has been restored - data maintained.",
)


class Controls:
    """One verb per thing that happens to a real TWS (TWS.md 3.40 to 3.44)."""

    def __init__(self, session: Session, connections: Connections) -> None:
        self._session = session
        self._connections = connections
        self._down_until = 0.0

    # ------------------------------------------------------------------ coming in

    def refuse_connections(self, for_s: float) -> None:
        """Nobody listens on the port; connections that stand are not touched."""
        self._down_until = max(self._down_until, self._session.agenda.instant() + for_s)
        self._connections.deafen()
        self._session.agenda.at(self._down_until, self._listen_again)

    def admit_connections(self) -> None:
        """Listen again now, however long the port was to be refused."""
        self._down_until = self._session.instant()
        self._listen_again()

    def mute_handshake(self, count: int = 1) -> None:
        """The next connections are accepted and never answered (TWS.md 3.44)."""
        self._connections.mute_next = count

    def withhold_on_connect(self, kinds: Iterable[str], count: int = 1) -> None:
        """The next clients do not get these messages (by protocol name), each the first time it is due."""
        self._connections.withhold_next = [set(kinds) for _ in range(count)]

    def linger(self, for_s: float) -> None:
        """From now on a client's id stays taken that long after it has gone (326, TWS.md 3.43)."""
        self._connections.lingers_s = for_s

    # ------------------------------------------------------------------ sockets

    def freeze(self, for_s: float) -> None:
        """Neither read nor write, every socket open, as a stopped process (TWS.md 3.44); then all comes at once."""
        self._connections.thawed.clear()
        for client in self._session.each_client():
            client.is_held = True
        self._session.agenda.after(for_s, self.thaw)

    def thaw(self) -> None:
        """Read and write again."""
        self._connections.thawed.set()
        for client in self._session.each_client():
            client.is_held = False
        self._session.flush()

    def drop(self, client_id: int | None = None, how: Manner = "fin") -> None:
        """Close a client's connection, or all: with FIN, with RST, or with RST inside a frame."""
        for client in self._chosen(client_id):
            # Its id is free at once; an order it still has on its way is read by nobody.
            del self._session.clients[client.client_id]
            if how == "fin":
                client.close()
            else:
                client.reset(inside_frame=how == "mid_frame")

    def chop(self, on: bool = True) -> None:
        """Write packets of a byte or a few, cutting fields and frames anywhere."""
        self._connections.is_chopped = on
        for client in self._session.each_client():
            client.is_chopped = on

    def send_raw(self, client_id: int | None, frame: bytes) -> None:
        """These bytes as they are, whether or not they are a message."""
        for client in self._chosen(client_id):
            client.send_frame(frame)
            client.flush()

    # ------------------------------------------------------------------ restarts

    def restart(
        self,
        down_s: float = RESTART_DOWN_S,
        *,
        forget_orders: bool = False,
        roll_back_ids: int = 0,
        account: str | None = None,
        port: int | None = None,
    ) -> None:
        """RST to all, nobody listens for `down_s`; then the same orders and ids, or not (TWS.md 3.3, 3.14, 3.42).

        Orders that were never transmitted die. With `account` the login has another account than before.
        """
        desk = self._session.desk
        self.drop(how="rst")
        desk.forget(
            [
                order.perm_id
                for order in desk.orders.values()
                if not order.done and (forget_orders or not order.transmitted)
            ]
        )
        if roll_back_ids:
            desk.roll_back_ids(roll_back_ids)
        if account is not None:
            desk.rename_account(self._session.ledger.account, account)
            before = self._session.ledger.account
            self._session.accounts.rename(before, account)
            desk.rename_account(before, account)
        if port is not None:
            self._connections.port = port
        self._session.is_connected = True
        desk.restore_link()
        self._session.farms = dict(FARMS)
        self._session.changes += 1
        self.refuse_connections(down_s)

    def move_port(self, port: int) -> None:
        """1300 to all: this TWS listens elsewhere now, connections are closed (TWS.md 3.40)."""
        text = "Socket port has been reset and this connection is being dropped. Please reconnect on the new port - "
        self._session.tell_all(error(NO_REQUEST, 1300, f"{text}{port}"))
        self.drop(how="fin")
        self._connections.deafen()
        self._connections.port = port
        self._connections.listen_again()

    # ------------------------------------------------------------------ the link to the servers

    def lose_server(self, for_s: float | None = None, *, data_kept: bool = True) -> None:
        """1100. What happens meanwhile happens, but nobody is told; after `for_s` 1102, or 1101 with data lost."""
        self._session.is_connected = False
        self._session.desk.lose_link()
        self._tell(LOST)
        if for_s is not None:
            self._session.agenda.after(for_s, lambda: self.restore_server(data_kept=data_kept))

    def restore_server(self, *, data_kept: bool = True) -> None:
        """1102: streams go on. 1101: market data has to be asked for again."""
        if self._session.is_connected:
            return
        self._session.is_connected = True
        self._session.desk.restore_link()
        if not data_kept:
            for client in self._session.each_client():
                client.subscriptions.forget_market_data()
        self._tell(RESTORED_DATA_KEPT if data_kept else RESTORED_DATA_LOST)
        self._session.desk.restore_link()
        self._session.settle()
        self._session.flush()

    def farm_status(self, code: int, farm: str = "usfarm") -> None:
        """A data farm breaks (2103, 2105, 2157), is well (2104, 2106, 2158) or dormant (2107, 2108); id -1."""
        self._session.farms[farm] = code
        self._tell((code, FARM_TEXTS[code] + farm))

    def reset_window(self, for_s: float) -> None:
        """The servers' nightly reset: the link flaps for `for_s`, then this TWS restarts (TWS.md 3.41)."""
        begins_at = self._session.agenda.instant()
        for at in _flaps(for_s):
            self._session.agenda.at(begins_at + at, lambda: self.lose_server(FLAP_DOWN_S))
        self._session.agenda.at(begins_at + for_s, self.restart)

    # ------------------------------------------------------------------ numbers

    def skew_clock(self, seconds: float) -> None:
        """What reqCurrentTime says from now on is wrong by so much."""
        self._session.clock_skew_s = seconds

    def set_pacing(self, limit: int, manner: str = "reject") -> None:
        """So many messages a second; beyond them `silent` or `reject` (TWS.md 3.36), or `off`."""
        self._session.messages_per_s = limit
        self._session.pacing = manner

    # ------------------------------------------------------------------ leaves

    def _chosen(self, client_id: int | None) -> Iterator[Client]:
        return (client for client in self._session.each_client() if client_id in {None, client.client_id})

    def _tell(self, told: tuple[int, str]) -> None:
        self._session.tell_all(error(NO_REQUEST, *told))
        self._session.flush()

    def _listen_again(self) -> None:
        if self._session.agenda.instant() >= self._down_until:
            self._connections.listen_again()


def _flaps(for_s: float) -> Iterator[float]:
    """When the link goes down, seconds into the window."""
    at = 0.0
    while at + FLAP_DOWN_S < for_s:
        yield at
        at += FLAP_DOWN_S + FLAP_UP_S
