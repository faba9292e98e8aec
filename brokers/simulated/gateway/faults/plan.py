"""What is to go wrong in a run: rules that somebody wrote down, and rules that are drawn anew for every day."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from brokers.simulated.gateway.faults.rule import Rule
from brokers.simulated.gateway.faults.script import rules_from_file
from brokers.simulated.gateway.faults.seeded import LEVELS, drawn_rules


class FaultPlan(Struct, frozen=True, kw_only=True):
    """`level` is one of LEVELS or empty; the same plan and seed give the same faults in the same run."""

    rules: tuple[Rule, ...] = ()
    level: str = ""
    seed: int = 0

    def rules_of(self, day: int) -> tuple[Rule, ...]:
        """What begins on that day, counted from 1."""
        written = tuple(rule for rule in self.rules if rule.timing.day == day)
        return written + (drawn_rules(self.level, self.seed, day) if self.level else ())


def plan_of(text: str, seed: int = 0) -> FaultPlan:
    """The plan of a level (mild, rough, brutal), of a script (TOML), or of a run's log (.jsonl).

    Raises ConfigError with one line per mistake in the file.
    """
    if text in LEVELS:
        return FaultPlan(level=text, seed=seed)
    return FaultPlan(rules=rules_from_file(Path(text)), seed=seed)
