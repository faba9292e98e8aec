"""`gateway.faults`: arms rules, watches messages, requests and the clock for them, and writes down what happened.

While nothing is armed no message passes here. A message that a fault has delayed still comes after `clear`.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from brokers.simulated.gateway.faults.armed import Armed
from brokers.simulated.gateway.faults.disturbed_market import DisturbedMarket
from brokers.simulated.gateway.faults.fault import Act, Aim, Meet, NothingThere, Touch, Undo, protocol_name
from brokers.simulated.gateway.faults.happened import NEW_YORK, FaultHappened, FaultLog
from brokers.simulated.gateway.faults.plan import FaultPlan
from brokers.simulated.gateway.faults.rule import Rule, Timing, rule_of
from brokers.simulated.gateway.faults.site import Site
from brokers.simulated.gateway.protocol.message import Message
from brokers.simulated.gateway.protocol.request_shapes import Request
from shared.errors import ConfigError

if TYPE_CHECKING:
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.connections import Connections
    from brokers.simulated.gateway.runtime.controls import Controls
    from brokers.simulated.gateway.runtime.session import Session

log = logging.getLogger(__name__)

SPOILS = "malformed_message"


class Occasion(Struct, frozen=True):
    """The message or request that set a fault off; none if the clock did."""

    client: int | None = None
    name: str = ""
    nth: int = 0


class Switchboard:
    """The faults of one gateway. Must be made before the market plays."""

    def __init__(
        self, session: Session, controls: Controls, connections: Connections, log_path: Path | None = None
    ) -> None:
        session.market = DisturbedMarket(session.market, self._on_day)
        self._session = session
        self._connections = connections
        self._site = Site(session, controls, connections)
        self._log = FaultLog(log_path)
        self._armed: list[Armed] = []
        self._at_work: dict[tuple[int, str], list[Armed]] = {}
        """By client and kind, until a rule begins or ends."""
        self._plans: list[FaultPlan] = []
        self._serial = 0
        self._day, self._day_began_at = 1, session.begins_at
        self._unhook: Undo | None = None

    # ------------------------------------------------------------------ the door

    @property
    def log(self) -> Sequence[FaultHappened]:
        """What has happened so far, in order."""
        return self._log.entries

    @property
    def armed(self) -> tuple[Rule, ...]:
        """What may still happen or has not ended."""
        return tuple(one.rule for one in self._armed if not one.is_over)

    def arm(self, plan: FaultPlan) -> None:
        """Let the plan's faults happen, today's and those of the days to come. Raises ConfigError."""
        unknown = sorted({rule.timing.symbol for rule in plan.rules} - {"", *self._session.market.symbols})
        if unknown:
            raise ConfigError([self._unknown_symbol(symbol) for symbol in unknown])
        self._plans.append(plan)
        for day in range(1, self._day + 1):
            self._put_all(plan, day)

    def inject(self, fault: str | int, **given: object) -> None:
        """One fault by name or number; the keywords are those of a script (rule.py). Without any: now.

        Raises ConfigError with one line per wrong keyword.
        """
        rule, mistakes = rule_of({"day": self._day, "name": fault, **given})
        symbol = given.get("symbol", "")
        if rule is None or (symbol and symbol not in self._session.market.symbols):
            raise ConfigError([text for _, text in mistakes] or [self._unknown_symbol(str(symbol))])
        self._put(rule, seed=0)

    def clear(self) -> None:
        """End everything that is armed or lasts, and forget the plans."""
        self._plans.clear()
        for armed in self._armed:
            self._end(armed)
        self._armed.clear()
        self._site.filters.clear()
        self._site.watches.clear()
        if self._unhook is not None:
            self._unhook()
            self._unhook = None

    def close(self) -> None:
        """The gateway stops: nothing happens any more, the log file is complete."""
        for armed in self._armed:
            self._retire(armed)
        self._log.close()

    # ------------------------------------------------------------------ arming

    def _on_day(self, day: int) -> None:
        """A trading day's steps begin."""
        if day == self._day:
            return
        self._day, self._day_began_at = day, self._session.begins_at
        for plan in self._plans:
            self._put_all(plan, day)

    def _put_all(self, plan: FaultPlan, day: int) -> None:
        self._armed = [armed for armed in self._armed if not armed.is_over]
        for rule in plan.rules_of(day):
            self._put(rule, seed=plan.seed)

    def _put(self, rule: Rule, *, seed: int) -> None:
        self._hook()
        self._serial += 1
        armed = Armed(rule, random.Random(f"{seed}:{self._serial}"), self._day_began_at)
        self._armed.append(armed)
        begins_at = self._instant_of(rule.timing)
        if begins_at is None:
            self._begin(armed)
        else:
            self._session.agenda.at(begins_at, partial(self._begin, armed))

    def _instant_of(self, timing: Timing) -> float | None:
        if not timing.at:
            return None
        if timing.at.startswith("+"):
            return self._day_began_at + float(timing.at)
        at = dt.datetime.combine(self._session.market.session, dt.time.fromisoformat(timing.at), NEW_YORK)
        return at.timestamp()

    def _begin(self, armed: Armed) -> None:
        if armed.is_over:
            return
        armed.begin(self._session.instant())
        self._at_work.clear()
        rule = armed.rule
        if isinstance(rule.fault.way, Act):
            if rule.begins_at_once:
                self._act(armed, Occasion())
        elif rule.lasts_s is not None:
            self._session.agenda.after(rule.lasts_s, partial(self._end, armed))

    def _unknown_symbol(self, symbol: str) -> str:
        return f"symbol: {symbol!r} is not in this market, allowed is {', '.join(self._session.market.symbols)}"

    # ------------------------------------------------------------------ watching

    def _hook(self) -> None:
        if self._unhook is not None:
            return
        session, before = self._session, self._connections.on_admit
        for client in session.each_client():
            client.on_send = self._on_send
        session.on_request = self._on_request

        def admit(client: Client) -> None:
            before(client)
            client.on_send = self._on_send

        def unhook() -> None:
            self._connections.on_admit = before
            session.on_request = None
            for client in session.each_client():
                client.on_send = None

        self._connections.on_admit = admit
        self._unhook = unhook

    def _on_send(self, client: Client, said: Message) -> Iterable[Message]:
        """What leaves instead of a message."""
        at_work = self._those_at_work(client, said.name)
        if not at_work and not self._site.filters:
            return (said,)
        leaving: list[Message] = [said]
        for armed in at_work:
            way = armed.rule.fault.way
            if isinstance(way, Meet) or not self._is_about(armed, client, said):
                continue
            if isinstance(way, Touch) and not way.concerns(self._site, armed.rule.parameters, said):
                continue
            nth = armed.meet(client.client_id, said.name)
            if nth is None:
                continue
            occasion = Occasion(client.client_id, said.name, nth)
            if isinstance(way, Touch):
                self._note(armed, occasion)
                change = partial(way.alter, self._site, armed.rule.parameters, client)
                leaving = [out for one in leaving for out in (change(one) if one.name == said.name else (one,))]
            else:
                # Later, because the session is in the middle of something.
                self._session.agenda.after(0.0, partial(self._act, armed, occasion))
        for one in tuple(self._site.filters):
            leaving = [out for message in leaving for out in _filtered(one(client, message), message)]
        return leaving

    def _on_request(self, client: Client, request: Request) -> bool:
        """Whether the request is dealt with."""
        if any(watch(client, request) for watch in tuple(self._site.watches)):
            return True
        name = protocol_name(type(request))
        hits = [
            (armed, nth) for armed in self._those_at_work(client, name) if (nth := self._met(armed, client, request))
        ]
        for armed, nth in hits:
            way = armed.rule.fault.way
            assert isinstance(way, Meet)
            self._note(armed, Occasion(client.client_id, name, nth))
            if way.meet(self._site, armed.rule.parameters, client, request):
                return True
        return False

    def _met(self, armed: Armed, client: Client, request: Request) -> int | None:
        """Count a request, whatever becomes of it; its number if it is hit."""
        way = armed.rule.fault.way
        if not isinstance(way, Meet) or not self._is_about(armed, client, request):
            return None
        if not way.concerns(self._site, armed.rule.parameters, client, request):
            return None
        return armed.meet(client.client_id, protocol_name(type(request)))

    def _those_at_work(self, client: Client, name: str) -> list[Armed]:
        """The rules that count messages or requests of this kind to or from the client.

        What spoils a message comes last: there is nothing in it any more that another could change.
        """
        key = client.client_id, name
        if key not in self._at_work:
            at_work = [one for one in self._armed if one.is_at_work and one.is_for(*key)]
            self._at_work[key] = sorted(at_work, key=lambda one: one.rule.fault.name == SPOILS)
        return self._at_work[key]

    def _is_about(self, armed: Armed, client: Client, said: Message | Request) -> bool:
        symbol = armed.rule.timing.symbol
        return not symbol or self._site.symbol_of(client, said) == symbol

    # ------------------------------------------------------------------ happening

    def _act(self, armed: Armed, occasion: Occasion) -> None:
        """Bring it about; where there is nobody for it yet, wait for the next order."""
        rule, way = armed.rule, armed.rule.fault.way
        if armed.is_over or armed.is_spent or not isinstance(way, Act):
            return
        timing, lasts_s = rule.timing, rule.lasts_s
        aim = Aim(client=timing.client, symbol=timing.symbol, for_s=lasts_s or 0.0)
        try:
            undo = way.begin(self._site, rule.parameters, aim)
        except NothingThere:
            armed.found_nobody = True
            self._at_work.clear()
            return
        except Exception as mistake:
            log.exception("fault %d %s failed", rule.fault.number, rule.fault.name)
            self._session.on_failure(mistake)
            self._retire(armed)
            return
        self._note(armed, occasion)
        if undo is None:
            self._retire_if_spent(armed)
        else:
            armed.undos.append(undo)
            if lasts_s is not None:
                self._session.agenda.after(lasts_s, partial(self._end, armed))
        self._session.settle()
        self._session.flush()

    def _note(self, armed: Armed, occasion: Occasion) -> None:
        """Write down one occurrence, with the script that repeats it."""
        armed.count()
        if not isinstance(armed.rule.fault.way, Act):
            self._retire_if_spent(armed)
        rule = armed.rule
        script = rule.plain()
        for key in ("at", "probability", "nth", "count", "message", "whose", "for_s"):
            script.pop(key, None)
        since = 0.0 if armed.began_at is None else armed.began_at - armed.day_began_at
        if since > 0:
            script["at"] = f"+{since!r}"
        if occasion.name:
            script |= {"whose": occasion.client, "message": occasion.name, "nth": occasion.nth}
        if isinstance(rule.fault.way, Act) and rule.lasts_s is not None:
            script["for_s"] = rule.lasts_s
        detail = f"{occasion.name} {occasion.nth} of client {occasion.client}" if occasion.name else rule.fault.text
        self._log.append(
            FaultHappened(
                at=self._session.instant(),
                number=rule.fault.number,
                name=rule.fault.name,
                detail=detail,
                rule=script,
            )
        )

    def _retire(self, armed: Armed) -> None:
        armed.is_over = True
        self._at_work.clear()

    def _retire_if_spent(self, armed: Armed) -> None:
        if armed.is_spent:
            self._retire(armed)

    def _end(self, armed: Armed) -> None:
        """It is over: what it began ends, in the opposite order."""
        if armed.is_over:
            return
        self._retire(armed)
        fault = armed.rule.fault
        for undo in reversed(armed.undos):
            undo()
        if armed.undos:
            self._log.append(
                FaultHappened(
                    at=self._session.instant(), number=fault.number, name=fault.name, detail="has ended", rule={}
                )
            )
        self._session.settle()
        self._session.flush()


def _filtered(instead: Iterable[Message] | None, said: Message) -> Iterable[Message]:
    return (said,) if instead is None else instead
