"""What the last run may have died over before a person had heard it.

A notice is durable with its event, then it is told. A run that is killed in between, or while the alert was still on
its way, has taken note of having told it and will not tell it again: the next start does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from daemon.runtime.loop import BATCH_MAX
from shared.commands import Notify
from shared.io.journal import JournalReader
from shared.messages import decode_command

MAYBE_UNTOLD = "maybe_untold"
_ON_ITS_WAY = timedelta(seconds=10)
"""What a notice may need from the journal to a person's device."""


def last_words(journal: JournalReader) -> list[Notify]:
    """One notice of all that was to be said just before the journal's end; nothing after a stop."""
    snapshot, last_seq = journal.last_snapshot(), journal.last_seq()
    if snapshot is None or snapshot.seq == last_seq:
        return []
    records = list(journal.records(after_seq=max(snapshot.seq, last_seq - BATCH_MAX)))
    since = datetime.fromisoformat(records[-1].received_at) - _ON_ITS_WAY
    recent = [record for record in records if datetime.fromisoformat(record.received_at) >= since]
    commands = [decode_command(payload) for record in recent for payload in record.commands]
    notices = [command for command in commands if isinstance(command, Notify) and command.level != "info"]
    if not notices:
        return []
    worst = next((notice for notice in notices if notice.level == "critical"), notices[0])
    told = "; ".join(dict.fromkeys(f"{notice.code}: {notice.text}" for notice in notices))
    text = f"the last run ended without a stop, perhaps before it had told this: {told}"
    return [Notify(level=worst.level, code=MAYBE_UNTOLD, text=text)]
