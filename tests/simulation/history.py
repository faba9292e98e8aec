"""What happened in one simulated run, in order: the only thing the judge reads. One JSON line a record, `kind` first.

`at` is true time in epoch seconds (the daemon's own clock may be wrong, the history's never is). Prices are dollars,
quantities shares, signed where they are positions. `process` counts the daemon's processes of the run from 1. Nothing
of daemon/ or risk/ is imported here.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from msgspec import Struct


class Settings(Struct, frozen=True, kw_only=True, tag="settings", tag_field="kind"):
    """The first record. `sessions` are (opens_at, closes_at) in order, by the exchange's calendar.

    `limits` are the keys of [risk] as numbers (None = lifted), `rules` the keys of [session], [execution], [exits],
    [runtime] and [reconcile] that matter.
    """

    at: float
    seed: int
    weather: str
    symbols: tuple[str, ...]
    sessions: tuple[tuple[float, float], ...]
    bar_s: int
    limits: dict[str, float | None]
    rules: dict[str, float | str | None]
    client_id: int = 7
    """Over which orders travel; bars and quotes have one of their own."""


class ProcessStarted(Struct, frozen=True, kw_only=True, tag="process_started", tag_field="kind"):
    """A daemon began; its first act is to recover from the journal."""

    at: float
    process: int


class ProcessEnded(Struct, frozen=True, kw_only=True, tag="process_ended", tag_field="kind"):
    """`how`: killed (no instruction ran after it), left (in good order), died (of an error it names in `text`)."""

    at: float
    process: int
    how: str
    text: str = ""


class LineChanged(Struct, frozen=True, kw_only=True, tag="line", tag_field="kind"):
    """A TCP connection of the daemon to the gateway: `state` is up, down, or deaf (stands, but nothing passes)."""

    at: float
    process: int
    client_id: int
    state: str


class Ordered(Struct, frozen=True, kw_only=True):
    """One order as the daemon meant it."""

    ref: str
    symbol: str
    side: str
    quantity: float
    order_type: str
    limit_price: float | None = None
    stop_price: float | None = None
    oca_group: str = ""
    tif: str = ""


class Journalled(Struct, frozen=True, kw_only=True, tag="journalled", tag_field="kind"):
    """One event with its commands became durable. `event` is its plain form (the tag is its name); a BarsClosed
    has `closed_at`, `warm_up` and, in the order of Settings.symbols and None where there is none, `close`, `bid`,
    `ask`.

    `commands` are the names of all commands, `orders` the orders in them (entry, stop and target of a bracket one by
    one), `cancels` the refs whose cancel is asked.
    """

    at: float
    process: int
    sequence: int
    name: str
    event: dict[str, Any]
    commands: tuple[str, ...]
    orders: tuple[Ordered, ...]
    cancels: tuple[str, ...]
    notices: tuple[str, ...] = ()
    """The codes of what it tells a person."""


class Sent(Struct, frozen=True, kw_only=True, tag="sent", tag_field="kind"):
    """An order left the daemon as bytes (placeOrder, new or a change). `last`, `bid`, `ask` are the market's at that
    moment.

    `last_at` is when the last trade bar of the symbol ended; None where nothing has traded or is quoted.
    """

    at: float
    process: int
    client_id: int
    order_id: int
    parent_id: int
    transmit: bool
    order: Ordered
    oca_type: int
    last: float | None
    last_at: float | None
    bid: float | None
    ask: float | None


class CancelSent(Struct, frozen=True, kw_only=True, tag="cancel_sent", tag_field="kind"):
    """A cancel left as bytes; `ref` is that of the order which the id was last sent with, empty for a global cancel."""

    at: float
    process: int
    client_id: int
    order_id: int
    ref: str


class Told(Struct, frozen=True, kw_only=True, tag="told", tag_field="kind"):
    """A message about orders, or an error, was handed to the daemon: the name as in TWS and its fields as text."""

    at: float
    process: int
    client_id: int
    name: str
    fields: dict[str, Any]


class Broker(Struct, frozen=True, kw_only=True, tag="broker", tag_field="kind"):
    """A record of the gateway's own ledger: `what` is order, execution, correction, commission, ended, split or
    dividend.

    `record` has the fields of brokers/simulated/gateway/accounts/records.py; a split or dividend also has `symbol`.
    """

    at: float
    what: str
    record: dict[str, Any]


class BrokerSeen(Struct, frozen=True, kw_only=True, tag="broker_seen", tag_field="kind"):
    """The broker's truth at that moment; its average prices hold the commission, as IB's average cost does.

    `orders` are those that work: ref, perm_id, symbol, side, remaining, order_type, status, limit_price, stop_price.
    """

    at: float
    cash: float
    positions: dict[str, float]
    average_prices: dict[str, float]
    orders: tuple[dict[str, Any], ...]
    is_connected: bool
    net_liquidation: float | None = None


class BookSeen(Struct, frozen=True, kw_only=True, tag="book_seen", tag_field="kind"):
    """What the daemon believed then; `state` is its trading state, `working` the refs it holds for alive."""

    at: float
    process: int
    is_up: bool
    is_reconciled: bool
    state: str
    positions: dict[str, float]
    average_prices: dict[str, float]
    working: tuple[str, ...]
    unknown: tuple[str, ...]
    locks: tuple[str, ...]
    cash: float | None
    tasks: int
    is_quiet: bool = True
    """Whether nothing was under way between the two at that moment."""


class Fault(Struct, frozen=True, kw_only=True, tag="fault", tag_field="kind"):
    """Something went wrong on purpose: `source` gateway (`number` as in TWS.md 4), network, disk, clock, mqtt, process,
    market.

    `phase` is began, happened (one occurrence of a rule that lasts) or ended.
    """

    at: float
    source: str
    number: int
    name: str
    phase: str
    detail: str = ""


class OperatorAsked(Struct, frozen=True, kw_only=True, tag="operator", tag_field="kind"):
    """A person gave an order; `reply` is what the daemon answered, empty if it could not be asked."""

    at: float
    process: int
    verb: str
    scope: str
    reply: str


class Noticed(Struct, frozen=True, kw_only=True, tag="noticed", tag_field="kind"):
    """The daemon told a person: the notice as it was handed to log and alerts."""

    at: float
    process: int
    level: str
    code: str
    text: str


class Alerted(Struct, frozen=True, kw_only=True, tag="alerted", tag_field="kind"):
    """An alert arrived in a channel outside the daemon; `text` is all that was sent."""

    at: float
    process: int
    channel: str
    severity: str
    code: str
    text: str


class Beat(Struct, frozen=True, kw_only=True, tag="beat", tag_field="kind"):
    """A heartbeat left."""

    at: float
    process: int
    facts: dict[str, Any]


class Calm(Struct, frozen=True, kw_only=True, tag="calm", tag_field="kind"):
    """From here on nothing goes wrong any more until the next fault: what must heal has to heal."""

    at: float


class Checked(Struct, frozen=True, kw_only=True, tag="checked", tag_field="kind"):
    """What the world found by itself and no record shows: `what` is recovery, audit, secrets, memory, task, clock.

    `is_good` False is a breach of the invariant it names.
    """

    at: float
    what: str
    invariant: str
    is_good: bool
    detail: str


Record: TypeAlias = (
    Settings
    | ProcessStarted
    | ProcessEnded
    | LineChanged
    | Journalled
    | Sent
    | CancelSent
    | Told
    | Broker
    | BrokerSeen
    | BookSeen
    | Fault
    | OperatorAsked
    | Noticed
    | Alerted
    | Beat
    | Calm
    | Checked
)


def lines_of(records: list[Record]) -> bytes:
    """The history as JSON lines."""
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def records_of(lines: bytes) -> list[Record]:
    """The history again. Raises msgspec.ValidationError for what is none."""
    decoder = msgspec.json.Decoder(Record)
    return [decoder.decode(line) for line in lines.splitlines()]
