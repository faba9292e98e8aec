"""One recorded conversation: which of its messages answers which request, and whether a request means the same."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import asdict

from brokers.simulated.gateway.protocol.handshake import OLDEST
from brokers.simulated.gateway.protocol.reading import decode
from brokers.simulated.gateway.protocol.request_shapes import Request
from brokers.simulated.gateway.protocol.wire import Unreadable
from brokers.simulated.gateway.runtime.message_ids import id_of, ids_in_answer
from brokers.simulated.gateway.runtime.recording_file import Conversation

ALIKE = frozenset(("version", "req_id", "order_id", "parent_id", "client_id", "raw", "open_close"))
"""Fields in which a request may differ from the recorded one: ids, and what says nothing about a stock."""
ANSWERS: dict[str, tuple[str, ...]] = {
    "6": ("6",), "7": ("6",), "8": ("6",), "54": ("6",),  # account updates
    "9": ("8", "71"),
    "15": ("17", "71"),
    "19": ("24",),
    "49": ("49",),
    "53": ("5", "16"),
    "61": ("61",), "62": ("61",),  # positions
    "78": ("80",),
    "80": ("82",),
    "85": ("85",),
    "101": ("99",), "102": ("99",),  # completed orders
}  # fmt: skip
"""Messages without an id to the requests that they answer."""


class Part:
    """What of a conversation the client has not said yet, and what it is told when it does; lines by number."""

    def __init__(self, conversation: Conversation, version: int) -> None:
        self.lines = conversation.lines
        asked = [at for at, line in enumerate(self.lines) if line.dir == "client"]
        self.unsaid = set(asked)
        self.answers: dict[int, list[int]] = {at: [] for at in asked}
        self.aliases: dict[str, str] = {}
        """Ids that nobody asked with, as captures that were tidied up have them, to the id they stand for."""
        self._meanings = {at: meaning_of(self.lines[at].texts, version) for at in asked}
        known = {id_of(self.lines[at].texts) for at in asked}
        for at, line in enumerate(self.lines):
            before = [one for one in asked if one < at]
            if line.dir == "server" and before:  # what a capture begins with answers nothing
                asked_by = self._asked_by(line.texts, before)
                self.answers[asked_by].append(at)
                strangers = set(ids_in_answer(line.texts)) - known
                self.aliases |= dict.fromkeys(sorted(strangers), id_of(self.lines[asked_by].texts))

    def find(self, meaning: object) -> int | None:
        """The first line with this meaning that the client has not said."""
        return next((at for at in sorted(self.unsaid) if self._meanings[at] == meaning), None)

    def first_of(self, kind: str) -> int | None:
        return next((at for at in sorted(self.unsaid) if self.lines[at].kind == kind), None)

    def has(self, kind: str) -> bool:
        """Whether the client asked for this at all."""
        return any(self.lines[at].kind == kind for at in self.answers)

    def _asked_by(self, fields: tuple[str, ...], before: Sequence[int]) -> int:
        """The last request of the same id; without an id the last of the kind it answers; otherwise the last."""
        ids, kinds = ids_in_answer(fields), ANSWERS.get(fields[0], ())
        for at in reversed(before):
            line = self.lines[at]
            if (id_of(line.texts) in ids) if ids else (line.kind in kinds):
                return at
        return before[-1]


def meaning_of(fields: Sequence[str], version: int) -> object:
    """What a request asks for, whatever its ids and however its values are spelled."""
    request = _decoded(fields, version) or _decoded(fields, OLDEST)
    if request is None:
        return tuple(fields)
    return type(request), {name: value for name, value in asdict(request).items() if name not in ALIKE}


def _decoded(fields: Sequence[str], version: int) -> Request | None:
    try:
        return decode(list(fields), version)
    except (Unreadable, KeyError):
        return None
