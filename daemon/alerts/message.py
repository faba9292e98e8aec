"""What is sent: the same few facts for every channel, without account numbers or secrets."""

from __future__ import annotations

from msgspec import Struct

from daemon.alerts.catalogue import Severity, kind_of
from shared.io.redaction import cleaned_text

TEXT_CHARACTERS_MAX = 1_500
"""Discord takes 2,000 characters, Telegram 4,096; what is longer is in the log."""


class Alarm(Struct, frozen=True, kw_only=True):
    """Something to be told, before it is known whether and to whom."""

    severity: Severity
    code: str
    text: str

    @property
    def key(self) -> str:
        """Alarms with the same key say the same."""
        return self.code if kind_of(self.code).same_if == "code" else f"{self.code}: {self.text}"


class Message(Struct, frozen=True, kw_only=True):
    """One message on its way; `at` is ISO text in UTC, `id` the same over all channels and retries."""

    id: str
    severity: Severity
    code: str
    title: str
    text: str
    at: str

    @property
    def runbook(self) -> str:
        return kind_of(self.code).page

    def body(self) -> str:
        """Text, instant and where to read on."""
        return f"{self.text}\n\n{self.at[:19]} UTC, runbook: {self.runbook}"


def compose(alarm: Alarm, *, sender: str, number: int, at: str, repeats: int = 0) -> Message:
    """`sender` names the daemon, such as "openbell paper"; `repeats` is how often it was kept quiet before."""
    text = cleaned_text(alarm.text)
    if len(text) > TEXT_CHARACTERS_MAX:
        text = text[:TEXT_CHARACTERS_MAX] + " ... (the rest is in the log)"
    again = f" ({repeats} more since the last message)" if repeats else ""
    return Message(
        id=f"{at[:19].replace(':', '').replace('-', '')}-{number}",
        severity=alarm.severity,
        code=alarm.code,
        title=f"[{alarm.severity.value.upper()}] {sender}: {alarm.code}",
        text=f"{text}{again}",
        at=at,
    )
