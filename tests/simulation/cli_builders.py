"""A campaign without a world: empty plans, days made of their seed, a judge that believes what it is told."""

import hashlib
from collections import Counter
from random import Random

from msgspec import Struct

from tests.simulation.campaign.arguments import Wishes
from tests.simulation.campaign.forked import Limits
from tests.simulation.campaign.summary import Asked
from tests.simulation.campaign.toolkit import Toolkit
from tests.simulation.history import (
    Broker,
    Checked,
    Fault,
    OperatorAsked,
    Ordered,
    ProcessEnded,
    ProcessStarted,
    Record,
    Sent,
    Settings,
    lines_of,
)
from tests.simulation.judge.breach import Breach
from tests.simulation.plan import Market, MqttFault, Plan

OPENS_AT = 1_381_239_000.0
BROKEN = 3
"""Every seed whose remainder by 7 is this breaks I3."""


class Played(Struct, frozen=True):
    plan: Plan
    history: list[Record]
    digest: str


def a_plan(seed=1, weather="calm", incidents=2):
    return Plan(
        seed=seed,
        weather=weather,
        market=Market(seed=seed, symbols=("SPY",), first_session="2013-10-08", is_eventful=False),
        daemon={},
        incidents=tuple(MqttFault(at_s=float(place), what="down", for_s=1.0) for place in range(incidents)),
        latency_s=(0.001, 0.001),
        shuffle=False,
        calm_s=300.0,
    )


def an_order(ref="OB1:t:20131008:SPY-1:E"):
    return Ordered(ref=ref, symbol="SPY", side="BUY", quantity=10.0, order_type="MKT")


def sent(at):
    return Sent(
        at=at, process=1, client_id=7, order_id=1, parent_id=0, transmit=True, order=an_order(), oca_type=0,
        last=101.0, last_at=at, bid=100.9, ask=101.1,
    )  # fmt: skip


def a_history(plan):
    """Two orders, one fill, a crash with its restart, a person's word, and so many disturbances as the seed draws."""
    chance = Random(plan.seed)
    at = OPENS_AT
    settings = Settings(
        at=at, seed=plan.seed, weather=plan.weather, symbols=("SPY",), sessions=((at, at + 23_400.0),), bar_s=60,
        limits={}, rules={},
    )  # fmt: skip
    faults = [
        Fault(at=at + 10, source="gateway", number=27, name="swallow_order", phase="happened")
        for _ in range(1 + chance.randrange(3))
    ]
    return [
        settings,
        ProcessStarted(at=at, process=1),
        *faults,
        Fault(at=at + 20, source="network", number=0, name="slow", phase="began"),
        Fault(at=at + 30, source="network", number=0, name="slow", phase="ended"),
        sent(at + 40),
        sent(at + 41),
        Broker(at=at + 42, what="execution", record={"price": chance.random()}),
        ProcessEnded(at=at + 50, process=1, how="killed"),
        ProcessStarted(at=at + 51, process=2),
        OperatorAsked(at=at + 52, process=2, verb="halt", scope="account", reply="done"),
        ProcessEnded(at=at + 23_399, process=2, how="left"),
        Checked(at=at + 23_400, what="audit", invariant="I3", is_good=plan.seed % 7 != BROKEN, detail="doubled"),
    ]


def played(plan):
    history = a_history(plan)
    return Played(plan=plan, history=history, digest=hashlib.sha256(lines_of(history)).hexdigest())


def judged(history):
    """What was checked and found bad, said twice."""
    bad = [(line, record) for line, record in enumerate(history) if isinstance(record, Checked) and not record.is_good]
    return [
        Breach(invariant=record.invariant, at=record.at, line=line, text=record.detail)
        for line, record in bad
        for _ in range(2)
    ]


def a_toolkit(**changes):
    parts = {
        "draw": a_plan,
        "play": played,
        "judge": judged,
        "explain": lambda history, breach: f"what led to {breach.text}\nat step {breach.line}",
        "hits": lambda history: Counter(F10=1, F2=2),
        "shrink": lambda plan, fails, runs_max: plan,
        "sweep": lambda pid: None,
        "soak": lambda sessions, seed: played(a_plan(seed, "rough")),
    }
    return Toolkit(**parts | changes)


def wishes(kind="campaign", seeds=range(10), weather="calm", **changes):
    parts = {
        "asked": Asked(kind=kind, weather=weather, seeds=seeds),
        "weather": weather,
        "limits": limits(),
    }
    return Wishes(**parts | changes)


def limits(jobs=2, batch=3, wall_s=60.0):
    return Limits(jobs=jobs, batch=batch, wall_s=wall_s)
