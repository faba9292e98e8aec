"""The steps of a night in their order."""

from __future__ import annotations

from msgspec import Struct

from research.nightly.audit_step import AuditStep
from research.nightly.digest_step import DigestStep, Tell
from research.nightly.gap_step import GapStep
from research.nightly.optional_step import OptionalStep, Work
from research.nightly.plan_step import PlanStep
from research.nightly.replay_step import ReplayStep
from research.nightly.report_step import ReportStep
from research.nightly.step import Step


class Outside(Struct, frozen=True, kw_only=True):
    """What the front door hands in, because research may not reach it, or because there may be none of it."""

    tell: Tell
    refresh: Work | None = None
    features: Work | None = None


def steps_of(outside: Outside) -> tuple[Step, ...]:
    """Every step; those for which nothing is handed in say so and are skipped."""
    return (
        OptionalStep("refresh", outside.refresh, "no source of data is configured"),
        OptionalStep("features", outside.features, "no features are configured", ("refresh",)),
        AuditStep(),
        ReplayStep(),
        GapStep(),
        PlanStep(),
        ReportStep(),
        DigestStep(outside.tell),
    )
