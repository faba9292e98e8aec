"""What the tests of the night are made of: a configuration, its plan, a clock that is told the time."""

from datetime import UTC, date, datetime, timedelta

from shared.day_plan import DayPlan, PlannedTarget
from shared.io.fingerprints import code_hash, config_hash
from shared.io.plan_file import account_hash, plan_path, write_plan
from tests.runtime.builders import OPEN

SESSION = OPEN.date()
BEFORE = date(2013, 10, 7)
MADE_AT = datetime(2013, 10, 7, 21, 30, tzinfo=UTC)
TARGET = PlannedTarget(
    strategy="sma", symbol="SPY", conviction=1.0, quantity=100, price=165.0, reason="fast above slow"
)


def a_plan(config, **changes):
    """A plan for the session of the tests that the daemon would trade by."""
    parts = {
        "session": SESSION,
        "as_of": BEFORE,
        "made_at": MADE_AT,
        "mode": config.mode,
        "account_hash": account_hash(config),
        "config_hash": config_hash(config),
        "code_hash": code_hash(config),
        "data_hash": "d" * 64,
        "equity": 1e6,
        "targets": (TARGET,),
        "limits": {"max_order_quantity": 1000, "max_day_loss": None},
    }
    return DayPlan(**{**parts, **changes})


def a_written_plan(config, **changes):
    """The same at its place; where that is."""
    write_plan(plan_path(config), a_plan(config, **changes))
    return plan_path(config)


class ToldTime:
    """A wall clock that stands where it was set."""

    def __init__(self, now=MADE_AT + timedelta(hours=16)):
        self.now = now

    def __call__(self):
        return self.now
