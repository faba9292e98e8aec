"""The first words of a connection: which versions a client offers, and which one is spoken (TWS.md 1, 2.1)."""

from __future__ import annotations

import re

from msgspec import Struct

from brokers.simulated.gateway.protocol.layout import VERSION
from brokers.simulated.gateway.protocol.wire import Unreadable

PREFIX = b"API\0"
OLDEST = 157
"""The layouts are kept for this version and for VERSION; a client that ends between them gets this one."""
_OFFER = re.compile(rb"v(\d{1,6})(?:\.\.(\d{1,6}))?(?:[ \0](.*))?", re.DOTALL)
SHOWN_BYTES = 40


class Offer(Struct, frozen=True):
    """The versions a client understands, and its connect options (`+PACEAPI`)."""

    lowest: int
    highest: int
    options: str = ""


def offer_of(payload: bytes) -> Offer:
    """What `v100..176`, with or without options behind it, says. Raises Unreadable."""
    found = _OFFER.fullmatch(payload)
    if found is None:
        raise Unreadable(f"unreadable versions {payload[:SHOWN_BYTES]!r}, expected v100..176")
    lowest = int(found[1])
    options = (found[3] or b"").decode(errors="replace").strip("\0 ")
    return Offer(lowest, int(found[2] or lowest), options)


def agreed_version(offer: Offer) -> int | None:
    """The version both sides speak; None where there is none."""
    if offer.lowest > VERSION or offer.highest < max(OLDEST, offer.lowest):
        return None
    if offer.highest >= VERSION:
        return VERSION
    return OLDEST if offer.lowest <= OLDEST else None
