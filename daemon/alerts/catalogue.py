"""Every code a person may be told of. docs/runbook.md has a section of the same name for each; a test holds both.

A notice's own level decides: critical pages, warning is a notice, info is only counted for the digest. This table may
lower a warning to the digest (no chatter: at most a handful of messages on a normal day); it never lowers a page.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from shared.commands import Notify

RUNBOOK = "docs/runbook.md"


class Severity(StrEnum):
    """`page`: act now. `notice`: look today. `digest`: one message after the close."""

    PAGE = "page"
    NOTICE = "notice"
    DIGEST = "digest"


URGENCY = {Severity.DIGEST: 0, Severity.NOTICE: 1, Severity.PAGE: 2}
_BY_LEVEL = {"critical": Severity.PAGE, "warning": Severity.NOTICE, "info": Severity.DIGEST}


class AlertKind(Struct, frozen=True):
    """One code; two alerts are the same if they agree in `same_if`: the code alone, or code and text."""

    code: str
    same_if: Literal["code", "text"] = "text"
    digest_only: bool = False

    @property
    def page(self) -> str:
        """Where the runbook speaks of it."""
        return f"{RUNBOOK}#{self.code}"


ALERTS = (
    # protection and positions
    AlertKind("unprotectable"),
    AlertKind("stop_unconfirmed"),
    AlertKind("reprotected"),
    AlertKind("overfilled"),
    AlertKind("corporate_action"),
    AlertKind("split_due"),
    AlertKind("action_not_told"),
    AlertKind("liquidation"),
    AlertKind("fill_busted"),
    AlertKind("fill_corrected"),
    # orders
    AlertKind("rejected"),
    AlertKind("order_unknown"),
    AlertKind("cancel_unanswered"),
    AlertKind("entry_cancelled", digest_only=True),
    AlertKind("entry_denied", digest_only=True),
    AlertKind("exit_denied"),
    AlertKind("flatten_waits"),
    AlertKind("filled"),
    AlertKind("fill_recovered"),
    # broker and book
    AlertKind("account_drift", same_if="code"),
    AlertKind("double_perm_id"),
    AlertKind("foreign_order"),
    AlertKind("foreign_position"),
    AlertKind("healed"),
    AlertKind("held_order"),
    AlertKind("lost_order"),
    AlertKind("missed_end", digest_only=True),
    AlertKind("missing_fill"),
    AlertKind("quantity_break", same_if="code"),
    AlertKind("reconciled"),
    AlertKind("report_incomplete"),
    AlertKind("settled"),
    AlertKind("settlement_corrected"),
    AlertKind("unbooked_order"),
    AlertKind("accept_refused"),
    # limits and people
    AlertKind("limit_latched"),
    AlertKind("plan_taken"),
    AlertKind("plan_differs", digest_only=True),
    AlertKind("warm_start_taken"),
    AlertKind("warm_start_refused"),
    AlertKind("memory_began_anew"),
    AlertKind("maybe_untold"),
    AlertKind("nightly", digest_only=True),
    AlertKind("operator"),
    AlertKind("resume_refused"),
    # line and data
    AlertKind("connection_lost", same_if="code"),
    AlertKind("broker_unreachable", same_if="code"),
    AlertKind("broker_quiet", same_if="code"),
    AlertKind("login_needed", same_if="code"),
    AlertKind("clock_behind_journal", same_if="code"),
    AlertKind("data_quality"),
    # of the alarm itself
    AlertKind("verdict_critical"),
    AlertKind("verdict_degraded"),
    AlertKind("verdict_recovered"),
    AlertKind("clock_stepped"),
    AlertKind("heartbeat_lost"),
    AlertKind("heartbeat_back"),
    AlertKind("daemon_stopped"),
    AlertKind("unit_failed"),
    AlertKind("run_ended"),
    AlertKind("alert_channel_failing"),
    AlertKind("alerts_merged"),
    AlertKind("delivery_check"),
    AlertKind("day_digest"),
    AlertKind("alert_test"),
)
_BY_CODE = {kind.code: kind for kind in ALERTS}


def kind_of(code: str) -> AlertKind:
    """The row of that code; a code without one is told like the others, by its level."""
    return _BY_CODE.get(code) or AlertKind(code)


def severity_of(notice: Notify) -> Severity:
    """How urgent a notice is."""
    severity = _BY_LEVEL[notice.level]
    lowered = severity is Severity.NOTICE and kind_of(notice.code).digest_only
    return Severity.DIGEST if lowered else severity
