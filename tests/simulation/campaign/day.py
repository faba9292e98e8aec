"""One run, played and judged: small enough to travel between processes and to be kept by the ten thousand."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from tests.simulation.campaign.toolkit import Outcome, Toolkit
from tests.simulation.history import (
    Broker,
    Checked,
    Fault,
    OperatorAsked,
    ProcessEnded,
    ProcessStarted,
    Record,
    Sent,
)
from tests.simulation.judge.breach import Breach

SAME_FAULT_S = 60.0
"""A rule that spoils every message for an hour is no thousand faults."""


class Finding(Struct, frozen=True, kw_only=True):
    """One invariant that did not hold on one day: its first breach (`step` counts records), and how many there were."""

    invariant: str
    at: float
    step: int
    text: str
    times: int
    story: str


class Counts(Struct, frozen=True, kw_only=True):
    """What happened, summed up. `incidents` were drawn, `faults` really occurred, `scenarios` are F1 to F22.

    `virtual_s` is from the first record to the last.
    """

    incidents: int = 0
    records: int = 0
    virtual_s: float = 0.0
    crashes: int = 0
    restarts: int = 0
    operator_commands: int = 0
    orders: int = 0
    fills: int = 0
    faults: dict[str, int] = {}
    scenarios: dict[str, int] = {}


class Day(Struct, frozen=True, kw_only=True):
    """`lost` says why a run could not be judged (empty if it was); `took_s` is real time.

    `evenings` are the figures of a soak, a line a session.
    """

    seed: int
    weather: str
    session: str = ""
    digest: str = ""
    findings: tuple[Finding, ...] = ()
    counts: Counts = Counts()
    took_s: float = 0.0
    lost: str = ""
    evenings: tuple[str, ...] = ()


def judged(run: Callable[[], Outcome], toolkit: Toolkit, keep: Callable[[list[Record]], None] = lambda _: None) -> Day:
    """Let it run and judge its history, which `keep` hears of. Whatever the world raises goes through."""
    began_s = time.perf_counter()
    outcome = run()
    history, plan = outcome.history, outcome.plan
    keep(history)
    return Day(
        seed=plan.seed,
        weather=plan.weather,
        session=plan.market.first_session,
        digest=outcome.digest,
        findings=_findings(history, toolkit),
        counts=counts_of(history, toolkit.hits(history), incidents=len(plan.incidents)),
        took_s=time.perf_counter() - began_s,
        evenings=tuple(record.detail for record in history if isinstance(record, Checked) and record.what == "memory"),
    )


def counts_of(history: Sequence[Record], hits: Mapping[str, int], incidents: int) -> Counts:
    """Count the records of each kind."""
    ends = Counter(record.how for record in history if isinstance(record, ProcessEnded))
    broker = Counter(record.what for record in history if isinstance(record, Broker))
    return Counts(
        incidents=incidents,
        records=len(history),
        virtual_s=history[-1].at - history[0].at if history else 0.0,
        crashes=ends["killed"] + ends["died"],
        restarts=sum(isinstance(record, ProcessStarted) and record.process > 1 for record in history),
        operator_commands=sum(isinstance(record, OperatorAsked) for record in history),
        orders=sum(isinstance(record, Sent) for record in history),
        fills=broker["execution"],
        faults=fault_counts(history),
        scenarios=dict(hits),
    )


def fault_counts(history: Sequence[Record]) -> dict[str, int]:
    """Count what really went wrong, by source, number and name; the same again within a minute of it is the same."""
    counts: Counter[str] = Counter()
    last_at: dict[str, float] = {}
    for record in history:
        if isinstance(record, Fault) and record.phase != "ended":
            key = " ".join(filter(None, (record.source, str(record.number or ""), record.name)))
            if record.at - last_at.get(key, float("-inf")) >= SAME_FAULT_S:
                counts[key] += 1
                last_at[key] = record.at
    return dict(counts)


def _findings(history: list[Record], toolkit: Toolkit) -> tuple[Finding, ...]:
    """The first breach of each invariant, in the order in which they showed."""
    breaches = sorted(toolkit.judge(history), key=lambda breach: breach.line)
    first: dict[str, Breach] = {}
    times: Counter[str] = Counter()
    for breach in breaches:
        first.setdefault(breach.invariant, breach)
        times[breach.invariant] += 1
    return tuple(
        Finding(
            invariant=name,
            at=breach.at,
            step=breach.line,
            text=breach.text,
            times=times[name],
            story=toolkit.explain(history, breach),
        )
        for name, breach in first.items()
    )
