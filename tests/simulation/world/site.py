"""One run's world, put together: market, gateway, network, disk, people, and the daemon's lives among them."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import shutil
import traceback
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from brokers.simulated.gateway.faults.disturbed_market import DisturbedMarket
from brokers.simulated.gateway.faults.plan import FaultPlan
from brokers.simulated.gateway.faults.rule import Rule, rule_of
from brokers.simulated.gateway.runtime.clock import RunningClock
from brokers.simulated.gateway.server import SimulatedGateway
from brokers.simulated.market.synthetic import SyntheticMarket
from shared.config_sections import AtrExits, PercentExits
from shared.errors import ConfigError
from shared.io.journal import JournalReader
from tests.scenarios.floor import a_config
from tests.simulation.history import Calm, Settings
from tests.simulation.plan import GatewayFault, Plan
from tests.simulation.weather.configuration import STRATEGY_FILES
from tests.simulation.weather.trading_days import character_of
from tests.simulation.world.afterwards import look_into
from tests.simulation.world.disk import JOURNAL, Disk
from tests.simulation.world.incidents import Incidents
from tests.simulation.world.lines import Lines
from tests.simulation.world.lives import Doors, Lives
from tests.simulation.world.loop import STARTS_AT_S, VirtualLoop
from tests.simulation.world.mqtt import KEY, MqttSide, keep_key
from tests.simulation.world.network import Network, Wire
from tests.simulation.world.observer import Observer
from tests.simulation.world.people import People
from tests.simulation.world.recorder import Recorder
from tests.simulation.world.tap import Tap
from tests.simulation.world.watched_market import WatchedMarket

ACCOUNT = "DU7654321"
LEAD_IN_S = 60.0
AFTER_CLOSE_S = 60.0


class GatewayFailed(RuntimeError):  # noqa: N818 - what happened, not a kind of error
    """The simulated gateway has made a mistake of its own: what came of the day says nothing of the daemon."""


class Site:
    """Everything of one run; `play` lets it happen."""

    def __init__(self, plan: Plan, loop: VirtualLoop, folder: Path) -> None:
        self.plan, self.loop = plan, loop
        self.folder = folder
        """Everything of this run on the disk; removed after it."""
        first = dt.date.fromisoformat(plan.market.first_session)
        self.market = SyntheticMarket(
            seed=plan.market.seed,
            symbols=plan.market.symbols,
            session=first,
            history_sessions=10,
            character=character_of(plan.market),
        )
        self.days = [self.market]
        for _ in range(1, 2 if plan.market.eve_s else plan.market.sessions):
            self.days.append(self.days[-1].next_session())
        self.first_whole_day = self.days[1 if plan.market.eve_s else 0]
        first_day = self.days[0]
        self.begins_at = (
            (first_day.closes_at - plan.market.eve_s) if plan.market.eve_s else first_day.opens_at - LEAD_IN_S
        )
        last, lasts_s = self.days[-1], plan.market.lasts_s
        self.ends_at = last.opens_at + lasts_s if lasts_s else last.closes_at + AFTER_CLOSE_S
        self.traded_at: dict[int, float] = {}
        self.taps: dict[Wire, Tap] = {}
        self.network = Network(loop, _chance(plan, "latency"), plan.latency_s)
        loop.network = self.network
        self.recorder = Recorder(self.now)
        self.disk = Disk(loop)
        self.lines = Lines(self.recorder, (ACCOUNT, KEY))
        self.mqtt = MqttSide(self.recorder, self.lines, _chance(plan, "nonce"))
        self.people = People(self.recorder, self.lines)
        self.config = a_config(_made(folder / "daemon"), 0, **_changes(plan))
        doors = Doors(channels=self.people.channels, open_link=self.mqtt.open_link)
        self.lives = Lives(self.config, self.disk, self.recorder, doors, _chance(plan, "entropy"))
        self.gateway: SimulatedGateway
        self.on_order: Callable[[], None] = lambda: None
        """Hears that an order's bytes are about to leave; it may kill the process."""
        self.on_ready: Callable[[Site], None] = lambda _: None
        """Is shown the world before the daemon's first start."""
        self._cut = asyncio.Event()
        self._mistakes: list[Exception] = []
        """The gateway's own."""

    def now(self) -> float:
        """True time, epoch seconds."""
        return self.begins_at + self.loop.now_s - STARTS_AT_S

    async def play(self) -> None:
        """The whole run, from the daemon's first start to the last look. Raises GatewayFailed."""
        async with AsyncExitStack() as stack:
            clock = RunningClock(self.begins_at, 1.0, self.loop.time)
            settings: dict[str, Any] = {
                "port": 4010, "speed": 1.0, "accounts": (ACCOUNT,), "faults": self._faults(),
                "sessions": len(self.days), "nightly": len(self.days) > 1,
            }  # fmt: skip
            self.gateway = SimulatedGateway(self.market, clock, **settings)
            disturbed = self.gateway.session.market
            assert isinstance(disturbed, DisturbedMarket)
            self.gateway.session.market = WatchedMarket(disturbed, self.traded_at)
            self.gateway.session.on_failure = self._mistakes.append
            self.recorder.follow(self.gateway)
            self.recorder.add(self._settings())
            self.network.on_connect = self._on_connect
            await stack.enter_async_context(self.gateway)
            clock.start()
            Incidents(self).plan(self.plan.incidents, self.first_whole_day.opens_at - self.begins_at)
            observer = Observer(self.gateway, self.lives, self.network, self.recorder)
            looking = asyncio.create_task(observer.run(), name="observer")
            self.on_ready(self)
            self.lives.start()
            await self._pass_until(self.ends_at - self.plan.calm_s)
            self.gateway.faults.clear()
            self.recorder.add(Calm(at=self.now()))
            self.lives.start()
            await self._pass_until(self.ends_at)
            if looking.done():
                looking.result()  # it looks for ever, unless it has failed
            looking.cancel()
            await observer.look()
            await self._end()
            for mistake in self._mistakes:
                at = traceback.extract_tb(mistake.__traceback__)[-1]
                text = f"{type(mistake).__name__}: {mistake} ({Path(at.filename).name}:{at.lineno}, {at.name})"
                raise GatewayFailed(text) from mistake

    def rest_in_calm(self, seconds: float) -> None:
        """From now on nothing goes wrong any more, and the run ends in so many seconds."""
        self.ends_at = self.now() + seconds
        self._cut.set()

    async def _pass_until(self, at: float) -> None:
        """Until then, or until it is cut short."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, at - self.now())):
                await self._cut.wait()
                self._cut.clear()

    async def _end(self) -> None:
        """The daemon leaves in good order."""
        self.lives.over()
        self.lives.stop()
        for _ in range(200):
            if self.lives.process is None:
                break
            await asyncio.sleep(0.25)
        else:
            self.recorder.checked("task", "I16", False, "told to stop, the daemon did not end within 50 s")
            self.lives.kill()
        self.disk.fault = ""
        with JournalReader.open(self.lives.folder / JOURNAL) as journal:
            look_into(journal, self.lives.config, self.recorder, self.plan.seed)

    # ------------------------------------------------------------------ parts

    def _faults(self) -> FaultPlan:
        rules: list[Rule] = []
        faults: list[str] = []
        for incident in self.plan.incidents:
            if isinstance(incident, GatewayFault):
                rule, mistakes = rule_of(incident.rule)
                faults += [f"{incident.rule}: {text}" for _, text in mistakes]
                rules += [rule] if rule is not None else []
        if faults:
            raise ConfigError(faults)
        return FaultPlan(rules=tuple(rules), seed=self.plan.seed)

    def _on_connect(self, wire: Wire) -> None:
        for ended in [known for known in self.taps if not known.is_open]:
            del self.taps[ended]
        if wire.address[1] == self.gateway.port:
            session = self.gateway.session
            self.taps[wire] = Tap(wire, self.recorder, session, self.traded_at, lambda: self.on_order())  # noqa: PLW0108 - it is set later

    def _settings(self) -> Settings:
        risk = self.config.risk
        numbers = {name: value for name, value in risk.model_dump().items() if not isinstance(value, str)}
        limits = {name: None if value is None else float(value) for name, value in numbers.items()}
        session, execution = self.config.session, self.config.execution
        rules: dict[str, float | str | None] = {
            **{
                key: getattr(session, key)
                for key in ("entry_after_open_s", "entry_before_close_s", "flatten_before_close_s")
            },
            **{key: getattr(execution, key) for key in ("entry", "entry_timeout_s", "acknowledge_within_s")},
            "heartbeat_every_s": self.config.runtime.heartbeat_every_s,
            "reconcile_every_s": self.config.runtime.reconcile_every_s,
            "foreign": self.config.reconcile.foreign,
            "stop_moves": max(_moves_to_the_stop(strategy.exits) for strategy in self.config.strategies),
        }
        return Settings(
            at=self.now(),
            seed=self.plan.seed,
            weather=self.plan.weather,
            symbols=self.plan.market.symbols,
            sessions=tuple((day.opens_at, day.closes_at) for day in self.days),
            bar_s=self.config.bars.interval_s,
            limits=limits,
            rules=rules,
        )


def _moves_to_the_stop(exits: PercentExits | AtrExits) -> float:
    """How many times the sum of the last rows' ranges its stop stands away; 0 where it is a part of the price."""
    return exits.stop_atr / exits.atr_period if isinstance(exits, AtrExits) else 0.0


def _chance(plan: Plan, stream: str) -> random.Random:
    """Each stream of chance is its own: an incident less does not change the latency of all that follows."""
    return random.Random(f"{plan.seed}:{stream}")


def _changes(plan: Plan) -> dict[str, Any]:
    """The plan's sections, above what every simulated daemon has."""
    changes: dict[str, Any] = {
        "account": ACCOUNT,
        "runtime": {"heartbeat_every_s": 15.0, "reconcile_every_s": 60.0},
        "universe": {"symbols": list(plan.market.symbols)},
    }
    broker = {"port": 4010, "follow_gateway_clock": False, "connect_timeout_s": 10.0, "request_timeout_s": 10.0}
    given = dict(plan.daemon)
    for key, section in given.items():
        before = changes.get(key)
        changes[key] = {**before, **section} if isinstance(before, dict) and isinstance(section, dict) else section
    changes["broker"] = {**broker, **given.get("broker", {})}
    return changes


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    keep_key(folder)
    for file in STRATEGY_FILES:
        shutil.copy(file, folder)
    return folder
