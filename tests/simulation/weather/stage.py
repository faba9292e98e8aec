"""The day on which things go wrong: moments at which orders work, and how much time is left for what lasts."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from tests.simulation.plan import Market
from tests.simulation.weather.chances import between, weighted, whether
from tests.simulation.weather.configuration import spacing_of
from tests.simulation.weather.trading_days import Day

NEW_YORK = ZoneInfo("America/New_York")
MOMENTS = {"trade": 0.66, "any": 0.22, "edge": 0.12}
AFTER_DECISION_S = 25.0
"""So long after a decision its orders are on their way, filled or waiting."""
EVE_SHARE, NIGHT_SHARE = 0.2, 0.25
EVE_MARGIN_S = 60.0
BEGIN_S = 5.0


class Stage(Struct, frozen=True, kw_only=True):
    """`last_s`: by then everything has ended. Seconds count from the open of the whole session, as in a plan."""

    chance: Random
    market: Market
    day: Day
    daemon: dict[str, Any]
    last_s: float

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.market.symbols

    @property
    def strategies(self) -> tuple[str, ...]:
        return tuple(one["name"] for one in self.daemon["strategy"])

    @property
    def has_commands(self) -> bool:
        """Whether signed commands are taken over MQTT."""
        return bool(self.daemon["mqtt"].get("commands"))

    # ------------------------------------------------------------------ when

    def moment(self, needs_s: float = 1.0) -> int:
        """A second of the whole session after which `needs_s` are left: mostly one at which orders work."""
        chance = self.chance
        match weighted(chance, MOMENTS):
            case "trade":
                at = self._decision() + chance.uniform(-1.0, AFTER_DECISION_S)
            case "edge":
                at = self._edge() + chance.uniform(-3.0, 10.0)
            case _:
                at = chance.uniform(0.0, self.last_s)
        return self.within(at, needs_s)

    def within(self, at_s: float, needs_s: float = 1.0) -> int:
        """The second nearest to it that leaves `needs_s` before everything has to be over."""
        return int(min(max(at_s, BEGIN_S), self.last_s - needs_s - 1))

    def early_moment(self) -> int:
        """A moment of the first three quarters: what waits for its occasion will find one."""
        return self.within(min(self.moment(), self.chance.uniform(0.0, 0.75) * self.last_s))

    def eve_moment(self) -> float | None:
        """Now and then one on the eve or in the night, if the run has them; else None."""
        chance = self.chance
        if self.day.eve is None or not whether(chance, EVE_SHARE):
            return None
        closed_s = self.day.eve_closes_at - self.day.opens_at
        if whether(chance, NIGHT_SHARE):
            return round(chance.uniform(closed_s, -600.0))
        return round(chance.uniform(closed_s - self.market.eve_s + EVE_MARGIN_S, closed_s - EVE_MARGIN_S))

    def _decision(self) -> float:
        session, spacing_s = self.daemon["session"], spacing_of(self.daemon)
        first, last = session["entry_after_open_s"], self.day.length_s - session["entry_before_close_s"]
        turns = max(int((min(last, self.last_s) - first) / spacing_s), 1)
        row_s: int = self.daemon["bars"]["interval_s"]
        at = first + self.chance.randint(1, turns) * spacing_s
        return float(round(at / row_s) * row_s)

    def _edge(self) -> float:
        """Where the session's rules change: the open, the first entry, the last, the flatten."""
        session, length_s = self.daemon["session"], self.day.length_s
        edges = (
            2.0,
            session["entry_after_open_s"],
            length_s - session["entry_before_close_s"],
            length_s - session["flatten_before_close_s"],
        )
        return float(self.chance.choice(edges))

    # ------------------------------------------------------------------ how long, where

    def lasting(self, shortest: float, longest: float) -> float:
        """Log-uniform; never more than a third of the session."""
        return between(self.chance, shortest, min(longest, self.last_s / 3), 1)

    def symbol(self) -> str:
        return self.chance.choice(self.symbols)

    def scope(self) -> str:
        """Whom an order of a person is about."""
        kind = weighted(self.chance, {"account": 0.5, "instrument": 0.3, "strategy": 0.2})
        match kind:
            case "instrument":
                return f"instrument:{self.symbol()}"
            case "strategy":
                return f"strategy:{self.chance.choice(self.strategies)}"
            case _:
                return "account"

    def hour_of(self, at_s: float) -> str:
        """The time of day in New York, as fault scripts take it; whole seconds."""
        return dt.datetime.fromtimestamp(self.day.opens_at + int(at_s), NEW_YORK).strftime("%H:%M:%S")

    def number_of(self, at_s: float) -> int:
        """The gateway's day: the eve is the first, the whole session then the second."""
        return 2 if self.day.eve is not None and at_s >= 0 else 1
