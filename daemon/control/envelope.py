"""PURE: a signed command, how it is made, and what is said of one that arrived.

The envelope is one JSON object of eight texts. The signature is HMAC-SHA256, as hexadecimal digits, over the canonical
JSON of all but itself: keys sorted, no blanks, UTF-8 as it is. Nothing in it is believed before the signature fits, and
nothing of it ever becomes a path, a topic, SQL or code (RELIABILITY.md 7).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from daemon.control.verbs import VERBS, ScopeFault

SIZE_MAX = 4_096
LIFE_MAX = timedelta(seconds=10)
AHEAD_MAX = timedelta(seconds=2)
KEY_CHARS_MIN = 32
_ULID_CHARS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHAPES = {
    "id": re.compile(rf"[0-7][{_ULID_CHARS}]{{25}}"),
    "actor": re.compile(r"[A-Za-z0-9._@-]{1,48}"),
    "nonce": re.compile(r"[A-Za-z0-9_-]{16,64}"),
    "mac": re.compile(r"[0-9a-f]{64}"),
    "scope": re.compile(r"[A-Za-z0-9_:. ]{1,64}"),
    "verb": re.compile("|".join(VERBS)),
}


class Envelope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command on its way; instants are ISO 8601 with their offset from UTC."""

    id: str
    issued_at: str
    expires_at: str
    actor: str
    nonce: str
    verb: str
    scope: str
    mac: str = ""


class Denied(Struct, frozen=True, kw_only=True):
    """Not carried out; `id` is empty where nothing in the message could be believed."""

    reason: str
    id: str = ""


def canonical(envelope: Envelope) -> bytes:
    """What is signed."""
    texts = {name: getattr(envelope, name) for name in Envelope.__struct_fields__ if name != "mac"}
    return json.dumps(texts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def mac_of(envelope: Envelope, key: bytes) -> str:
    return hmac.new(key, canonical(envelope), hashlib.sha256).hexdigest()


def signed(*, verb: str, scope: str, actor: str, key: bytes, now: datetime, entropy: bytes) -> Envelope:
    """A fresh command that lives for LIFE_MAX; `entropy` is 26 unpredictable bytes, which id and nonce are made of."""
    blank = Envelope(
        id=ulid(now, entropy[:10]),
        issued_at=now.isoformat(),
        expires_at=(now + LIFE_MAX).isoformat(),
        actor=actor,
        nonce=entropy[10:26].hex(),
        verb=verb,
        scope=scope,
    )
    return msgspec.structs.replace(blank, mac=mac_of(blank, key))


def ulid(now: datetime, entropy: bytes) -> str:
    """48 bits of milliseconds since 1970 and 80 of chance in Crockford's base 32 (github.com/ulid/spec)."""
    number = (int(now.timestamp() * 1000) << 80) | int.from_bytes(entropy[:10])
    return "".join(_ULID_CHARS[(number >> shift) & 31] for shift in range(125, -1, -5))


class Judge:
    """Says of each message whether it may be carried out. Remembers nothing: `is_spent` does."""

    def __init__(self, *, key: bytes, scope_fault: ScopeFault, is_spent: Callable[[str], bool]) -> None:
        self._key = key
        self._scope_fault = scope_fault
        self._is_spent = is_spent

    def judge(self, payload: bytes, *, is_retained: bool, now: datetime) -> Envelope | Denied:
        """The command, or why it is none. `now` is the wall's time in UTC."""
        if is_retained:  # the broker gives it to every new daemon again (RELIABILITY.md 7)
            return Denied(reason="retained messages are never carried out, publish with retain = false")
        if len(payload) > SIZE_MAX:
            return Denied(reason=f"{len(payload)} bytes, at most {SIZE_MAX} are read")
        try:
            envelope = msgspec.json.decode(payload, type=Envelope)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Denied(reason="is no signed command, docs/control.md says what one looks like")
        if not self._is_signed(envelope):
            return Denied(reason="the signature does not fit")
        reason = (
            _shape_fault(envelope)
            or _time_fault(envelope, now)
            or self._scope_fault(envelope.verb, envelope.scope)
            or self._replay(envelope.nonce)
        )
        return Denied(reason=reason, id=_id_of(envelope)) if reason else envelope

    def _is_signed(self, envelope: Envelope) -> bool:
        try:
            expected = mac_of(envelope, self._key)
        except UnicodeEncodeError:  # half of a surrogate pair: cannot have been signed
            return False
        return hmac.compare_digest(expected.encode(), envelope.mac.encode(errors="replace"))

    def _replay(self, nonce: str) -> str:
        return "the nonce was used before, none works twice" if self._is_spent(nonce) else ""


def _shape_fault(envelope: Envelope) -> str:
    wrong = [name for name, shape in _SHAPES.items() if not shape.fullmatch(getattr(envelope, name))]
    return f"{', '.join(wrong)}: not as docs/control.md says" if wrong else ""


def _time_fault(envelope: Envelope, now: datetime) -> str:
    issued_at, expires_at = _instant(envelope.issued_at), _instant(envelope.expires_at)
    if issued_at is None or expires_at is None:
        return "issued_at, expires_at: must be ISO 8601 with an offset, such as 2026-11-21T15:30:00+00:00"
    if not timedelta(0) < expires_at - issued_at <= LIFE_MAX:
        return f"expires_at: must be at most {LIFE_MAX.seconds} s after issued_at"
    age_s = (now - issued_at).total_seconds()
    if now - issued_at < -AHEAD_MAX:
        return f"issued {-age_s:.1f} s in the future by our clock, at most {AHEAD_MAX.seconds} s are forgiven"
    if now - issued_at > LIFE_MAX or now > expires_at:
        return f"expired: issued {age_s:.1f} s ago by our clock"
    return ""


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _id_of(envelope: Envelope) -> str:
    return envelope.id if _SHAPES["id"].fullmatch(envelope.id) else ""
