from msgspec.structs import replace

from tests.brokers.simulated.gateway.scripted_market import STEP_S, ScriptedMarket


class EarlyMarket(ScriptedMarket):
    """Trades from two steps before the open on."""

    def steps(self, *, include_premarket=False):
        for step in super().steps():
            yield replace(step, starts_at=step.starts_at - 2 * STEP_S)
