"""The plan of the session in the engine: it can forbid entries and tighten limits, never allow or loosen anything.

A plan that is not to be traded by latches the account in REDUCING (breakers.py) until a good one comes, or a person
resets it. Its targets are no orders: they are held against what the strategies want at the session's first row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from daemon.engine.settings import EngineSettings
from risk.limits import Limits
from shared.commands import Command, Notify
from shared.day_plan import LimitValue, PlannedTarget
from shared.events import DayPlanChecked

PLAN_RULE = "day_plan"
_TOLD_MAX = 5
_ROUNDING = 1e-9
_LARGER_IS_TIGHTER = ("entry_window_s", "duplicate_window_s")
Convictions = Mapping[str, Mapping[str, float]]
"""Strategy -> symbol -> conviction."""


class DayPlanInForce(Struct, kw_only=True):
    """What was taken from the plan of `session`. Mutable, owned by the book."""

    session: date
    limits: dict[str, LimitValue]
    targets: tuple[PlannedTarget, ...]
    is_compared: bool = False
    insider_scores: dict[str, float] = {}

    def views_before_first_row(self, convictions: Convictions) -> Convictions | None:
        """What the strategies wanted before the session's first row; None at every later one."""
        if self.is_compared:
            return None
        self.is_compared = True
        return {name: dict(views) for name, views in convictions.items()}


def plan_in_force(event: DayPlanChecked) -> DayPlanInForce:
    return DayPlanInForce(
        session=event.session,
        limits=event.limits,
        targets=event.targets or (),
        is_compared=event.targets is None,
        insider_scores=event.insider_scores,
    )


def tightened(limits: Limits, asked: Mapping[str, LimitValue]) -> Limits:
    """The stricter of both for every limit that the plan names; a name that is no limit is passed over."""
    named = [name for name in limits.__struct_fields__ if name in asked]
    return replace(limits, **{name: _stricter(name, getattr(limits, name), asked[name]) for name in named})


def _stricter(name: str, ours: LimitValue, asked: LimitValue) -> LimitValue:
    if ours is None or asked is None:
        return asked if ours is None else ours
    if name in _LARGER_IS_TIGHTER:
        return max(ours, asked)
    return min(ours, asked)  # of a switch: allowed only where both allow it


def taken_notice(event: DayPlanChecked, before: Limits, settings: EngineSettings, instruments: int) -> Notify:
    """Says that the plan is in force, every limit that it has tightened, and how many sizes it can scale."""
    after = settings.limits
    changed = [name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    tight = ", ".join(f"{name} {getattr(before, name)} -> {getattr(after, name)}" for name in changed)
    targets = len(event.targets or ())
    text = f"plan of {event.session}: {targets} targets, limits {f'tightened: {tight}' if tight else 'as set'}"
    if settings.insider_strength > 0:
        unknown = instruments - len(event.insider_scores)
        text += f", insider scores of {len(event.insider_scores)} instruments, {unknown} without one are not scaled"
    return Notify(level="info", code="plan_taken", text=text)


def differences(plan: DayPlanInForce, before: Convictions, after: Convictions) -> list[Command]:
    """A notice if the strategies want something else than the plan.

    What they wanted `before` the session's first row is what the plan was made from; where a fresh start has no view
    yet, what the first row made of it (`after`) stands for it.
    """
    found = list(_differing({(t.strategy, t.symbol): t.conviction for t in plan.targets}, before, after))
    if not found:
        return []
    more = f" and {len(found) - _TOLD_MAX} more" if len(found) > _TOLD_MAX else ""
    text = f"plan of {plan.session}: {len(found)} targets are not what the strategies want: "
    return [Notify(level="warning", code="plan_differs", text=text + "; ".join(found[:_TOLD_MAX]) + more)]


def _differing(planned: dict[tuple[str, str], float], before: Convictions, after: Convictions) -> Iterator[str]:
    wanted = {(strategy, symbol): view for strategy, views in after.items() for symbol, view in views.items()}
    wanted |= {(strategy, symbol): view for strategy, views in before.items() for symbol, view in views.items()}
    for strategy, symbol in dict.fromkeys([*planned, *wanted]):
        plan, engine = planned.get((strategy, symbol), 0.0), wanted.get((strategy, symbol), 0.0)
        if abs(plan - engine) > _ROUNDING:
            yield f"{strategy} {symbol} plan {plan:+g}, engine {engine:+g}"
