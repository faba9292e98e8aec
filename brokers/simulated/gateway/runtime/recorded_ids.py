"""Which fields of a recorded message are ids that its reader chose: they are other ones when it is played."""

from __future__ import annotations

from collections.abc import Mapping

FIRST, SECOND = (1,), (2,)
ANSWER_IDS: dict[str, tuple[int, ...]] = {
    "3": (1, 7),  # orderStatus: orderId, parentId
    "5": FIRST,  # openOrder
    "11": (1, 2),  # execDetails: reqId, orderId
    "100": (3,),  # orderBound
    **dict.fromkeys(
        ("10", "17", "21", "76", "77", "79", "81", "82", "88", "90", "94", "95", "96", "97", "98", "99"), FIRST
    ),
    **dict.fromkeys(("1", "2", "4", "20", "45", "46", "50", "52", "55", "57", "58"), SECOND),
    **dict.fromkeys(("63", "64", "71", "72", "73", "74"), SECOND),
}
"""Message id to the places of request and order ids, the message id itself being 0 (TWS.md 2.3)."""


def ids_in_answer(fields: tuple[str, ...]) -> tuple[str, ...]:
    """The ids a message carries; -1 and 0 are none."""
    return tuple(
        fields[at] for at in ANSWER_IDS.get(fields[0], ()) if at < len(fields) and fields[at] not in {"-1", "0"}
    )


def with_ids(fields: tuple[str, ...], ids: Mapping[str, str]) -> list[str]:
    """The message with its ids exchanged; an id that nobody has asked with stays."""
    changed = list(fields)
    for at in ANSWER_IDS.get(fields[0], ()):
        if at < len(changed):
            changed[at] = ids.get(changed[at], changed[at])
    return changed
