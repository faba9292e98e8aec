"""Order references: computed, never random, so that a bare broker dump rebuilds the bracket tree.

`OB1:<strategy>:<session>:<plan>:<leg>`, for example `OB1:sma:20131008:SPY-3:S`. The plan is the symbol and a number
that rises by one per plan of that strategy, symbol and session; the leg is a letter (shared/orders.py) and, for
exits and re-protection, a number.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from msgspec import Struct

from shared.orders import Leg

PREFIX = "OB1"
_KEPT = 1024
"""References and execIds whose parts are remembered: each report names those of the whole day again."""


class OrderRef(Struct, frozen=True, kw_only=True):
    """The parts of one of our order references; `plan_id` is the identity of the whole bracket: all but the leg."""

    strategy: str
    session: str
    plan: str
    plan_id: str
    leg: Leg
    number: int = 0

    @property
    def plan_number(self) -> tuple[str, int]:
        """What plans are counted by (session, strategy and symbol), and the plan's own number; 0 if it has none."""
        symbol, _, number = self.plan.rpartition("-")
        return f"{self.session}:{self.strategy}:{symbol}", int(number) if number.isdecimal() else 0

    def __str__(self) -> str:
        return f"{self.plan_id}:{self.leg.value}{self.number or ''}"


def plan_id(strategy: str, session: date, symbol: str, number: int) -> str:
    """Identity of the `number`-th plan of a strategy in an instrument in a session."""
    return f"{PREFIX}:{strategy}:{day_text(session)}:{symbol}-{number}"


@lru_cache(maxsize=16)
def day_text(session: date) -> str:
    """A session as references write it: YYYYMMDD."""
    return f"{session:%Y%m%d}"


_LEGS = {leg.value: leg for leg in Leg}


def leg_ref(plan: str, leg: Leg, number: int = 0) -> str:
    """The order reference of one leg of a plan."""
    return f"{plan}:{leg}{number or ''}"


@lru_cache(maxsize=_KEPT)
def parse_ref(text: str) -> OrderRef | None:
    """The parts of `text`, or None if the order is not one of ours (foreign orders are never guessed at)."""
    parts = text.split(":")
    if len(parts) != 5 or parts[0] != PREFIX or not all(parts):  # noqa: PLR2004 - the five parts of the docstring
        return None
    letter, number = parts[4][0], parts[4][1:]
    if letter not in _LEGS or (number and not number.isdigit()):
        return None
    return OrderRef(
        strategy=parts[1],
        session=parts[2],
        plan=parts[3],
        plan_id=text[: -1 - len(parts[4])],
        leg=_LEGS[letter],
        number=int(number or 0),
    )


@lru_cache(maxsize=_KEPT)
def own_ref(text: str) -> OrderRef:
    """The parts of a reference that is known to be ours; ValueError if it is not."""
    ref = parse_ref(text)
    if ref is None:
        message = f"order reference {text!r}: not one of ours, expected OB1:<strategy>:<session>:<plan>:<leg>"
        raise ValueError(message)
    return ref


@lru_cache(maxsize=_KEPT)
def exec_stem(exec_id: str) -> str:
    """An execId without its correction suffix: `0001.02.03.01` and `.02` are the same execution corrected."""
    head, dot, last = exec_id.rpartition(".")
    return head if dot and last.isdigit() and head.count(".") >= 2 else exec_id  # noqa: PLR2004 - four dotted parts


@lru_cache(maxsize=_KEPT)
def exec_correction(exec_id: str) -> int:
    """The correction suffix of an execId as a number, so that `.10` is newer than `.9`; 0 if it has none."""
    return 0 if exec_stem(exec_id) == exec_id else int(exec_id.rpartition(".")[2])
