"""Order references as docs/orders.md writes them: `OB1:<strategy>:<session>:<symbol>-<n>:<leg>`."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

_PARTS, ADOPTED = 5, "adopted"
STOPS = ("S", "P")
CLOSING = ("S", "P", "T", "X")


class Ref(Struct, frozen=True, kw_only=True):
    """One of the daemon's references; `leg` is E entry, S stop loss, T take profit, X exit or P stop put back."""

    strategy: str
    session: str
    plan: str
    symbol: str
    leg: str


@lru_cache(maxsize=65_536)
def ref_of(text: str) -> Ref | None:
    """The parts of a reference, None for an order that is not the daemon's."""
    parts = text.split(":")
    if len(parts) != _PARTS or parts[0] != "OB1" or not all(parts):
        return None
    symbol, dash, _number = parts[3].rpartition("-")
    if not dash or parts[4][0] not in "ESTXP":
        return None
    return Ref(strategy=parts[1], session=parts[2], plan=":".join(parts[:4]), symbol=symbol, leg=parts[4][0])


def is_adopted(plan: str) -> bool:
    """Whether the plan was made for shares that a stranger had bought or sold."""
    return plan.split(":")[1] == ADOPTED


def is_in_scope(ref: Ref, scope: str) -> bool:
    """Whether an operator's or a limit's scope (account, strategy:x, instrument:x) holds for the order."""
    return scope in {"account", f"strategy:{ref.strategy}", f"instrument:{ref.symbol}"}


def unasked(report: dict[str, object]) -> tuple[str, ...]:
    """What a report could not ask about orders and shares; the account's figures have an age of their own."""
    missing = report.get("unanswered")
    return tuple(str(name) for name in missing if name != "account") if isinstance(missing, list) else ()


def stem_of(exec_id: str) -> str:
    """What an execution and its corrections share (TWS.md 3.23): the id without its last of four dotted parts."""
    return exec_id.rpartition(".")[0] if exec_id.count(".") >= 3 else exec_id


def sign_of(side: str) -> int:
    """+1 for a purchase, -1 for a sale."""
    return 1 if side == "BUY" else -1
