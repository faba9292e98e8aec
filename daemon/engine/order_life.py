"""The life of an order: one table, (status, happening) -> status.

Silence is never a rejection: it leads to UNKNOWN, which counts as live for every limit and ends only on evidence from
the broker. A final order never comes back to life through a status message; only an execution may still be booked on
it (executions are the truth about quantity, and a cancel can lose the race against a fill).
"""

from __future__ import annotations

import enum

from shared.orders import OrderStatus as S


class Happening(enum.IntEnum):
    """What can befall an order."""

    ACCEPTED = enum.auto()  # the broker holds it
    PART_FILLED = enum.auto()
    ALL_FILLED = enum.auto()
    CANCEL_ASKED = enum.auto()  # we sent a cancel
    CANCELLED = enum.auto()  # the broker says it is gone
    REJECTED = enum.auto()  # the broker refused it for good
    SILENCE = enum.auto()  # no answer in time, lost connection, or an answer nobody can read
    LOST = enum.auto()  # complete reports of the broker do not know it


_H = Happening

TRANSITIONS: dict[tuple[S, Happening], S] = {
    (S.PENDING, _H.ACCEPTED): S.WORKING,
    (S.PENDING, _H.PART_FILLED): S.WORKING,
    (S.PENDING, _H.ALL_FILLED): S.FILLED,
    (S.PENDING, _H.CANCEL_ASKED): S.CANCELLING,
    (S.PENDING, _H.CANCELLED): S.CANCELLED,
    (S.PENDING, _H.REJECTED): S.REJECTED,
    (S.PENDING, _H.SILENCE): S.UNKNOWN,
    (S.PENDING, _H.LOST): S.CANCELLED,
    (S.WORKING, _H.ACCEPTED): S.WORKING,
    (S.WORKING, _H.PART_FILLED): S.WORKING,
    (S.WORKING, _H.ALL_FILLED): S.FILLED,
    (S.WORKING, _H.CANCEL_ASKED): S.CANCELLING,
    (S.WORKING, _H.CANCELLED): S.CANCELLED,
    (S.WORKING, _H.REJECTED): S.REJECTED,
    (S.WORKING, _H.SILENCE): S.UNKNOWN,
    (S.WORKING, _H.LOST): S.CANCELLED,
    (S.UNKNOWN, _H.ACCEPTED): S.WORKING,
    (S.UNKNOWN, _H.PART_FILLED): S.WORKING,
    (S.UNKNOWN, _H.ALL_FILLED): S.FILLED,
    (S.UNKNOWN, _H.CANCEL_ASKED): S.UNKNOWN,
    (S.UNKNOWN, _H.CANCELLED): S.CANCELLED,
    (S.UNKNOWN, _H.REJECTED): S.REJECTED,
    (S.UNKNOWN, _H.SILENCE): S.UNKNOWN,
    (S.UNKNOWN, _H.LOST): S.CANCELLED,
    (S.CANCELLING, _H.ACCEPTED): S.CANCELLING,
    (S.CANCELLING, _H.PART_FILLED): S.CANCELLING,
    (S.CANCELLING, _H.ALL_FILLED): S.FILLED,
    (S.CANCELLING, _H.CANCEL_ASKED): S.CANCELLING,
    (S.CANCELLING, _H.CANCELLED): S.CANCELLED,
    (S.CANCELLING, _H.REJECTED): S.REJECTED,
    (S.CANCELLING, _H.SILENCE): S.UNKNOWN,
    (S.CANCELLING, _H.LOST): S.CANCELLED,
}


def next_status(status: S, happening: Happening) -> S:
    """The status after `happening`; a final status stays, except that executions may complete a fill."""
    if status.is_final:
        return S.FILLED if happening is Happening.ALL_FILLED else status
    return TRANSITIONS[(status, happening)]
