"""Where messages carry the ids that a client chose: what an error is about, and what changes when they are played.

Ids are the texts on the wire (TWS.md 2.2, 2.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

AN_ID = re.compile(r"-?[0-9]{1,10}")
FIRST, SECOND = (1,), (2,)
REQUEST_IDS: dict[str, int] = {
    **dict.fromkeys(("3", "20", "22", "78", "79", "81", "83", "84", "86", "87", "88", "89", "90", "92", "93", "94"), 1),
    **dict.fromkeys(("95", "96", "97", "98", "100", "101", "102", "103", "104"), 1),
    **dict.fromkeys(("1", "2", "4", "7", "9", "10", "11", "21", "23", "25", "50", "51", "52", "53", "54", "55"), 2),
    **dict.fromkeys(("56", "57", "62", "63", "67", "68", "69", "70", "74", "75", "76", "77"), 2),
}
"""Message id of a request to the place of its request or order id, the message id itself being 0."""
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
"""Message id to the places of request and order ids."""


def id_of(fields: Sequence[str]) -> str:
    """The id a request was made with; empty where requests of its kind have none."""
    at = REQUEST_IDS.get(fields[0]) if fields else None
    text = fields[at] if at is not None and at < len(fields) else ""
    return text if AN_ID.fullmatch(text) else ""


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
