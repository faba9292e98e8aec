"""Lets a plan's incidents happen: each at its time, each with its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, assert_never

from tests.simulation.plan import (
    ClockStep,
    Crash,
    DiskFault,
    GatewayFault,
    Incident,
    MqttFault,
    NetworkFault,
    Operator,
    Stop,
)
from tests.simulation.world.network import Wire, deafen, finish, give_up, reset, stall

if TYPE_CHECKING:
    from tests.simulation.world.site import Site

_LINES = {"orders": "7", "data": "8"}
_SHORTEST_S = 0.001


class Incidents:
    """Those of one run. What waits for the nth write, step or burst counts from its time on."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._loop = site.loop
        self._crash: Crash | None = None
        self._left = 0
        site.disk.on_write = self._on_write
        site.on_order = self.on_order

    def plan(self, incidents: tuple[Incident, ...], opens_in_s: float) -> None:
        """Put all of them on the loop's clock; `opens_in_s` is when the open comes, from now."""
        for incident in incidents:
            if not isinstance(incident, GatewayFault):  # the gateway has those
                self._loop.call_later(max(0.0, opens_in_s + incident.at_s), self._happen, incident)

    def _happen(self, incident: Incident) -> None:
        match incident:
            case Crash():
                self._arm(incident)
            case NetworkFault():
                self._disturb(incident)
            case DiskFault():
                self._spoil(incident)
            case ClockStep():
                self._site.lives.wall_skew_s += incident.by_s
                self._note("clock", "step", "happened", f"{incident.by_s:+g} s")
            case MqttFault():
                self._silence(incident)
            case Operator():
                self._command(incident)
            case Stop():
                self._note("process", "stop", "happened")
                self._site.lives.stop()
                self._site.lives.start_in(incident.down_s)
            case GatewayFault():
                raise AssertionError(incident)
            case _:
                assert_never(incident)

    def _command(self, order: Operator) -> None:
        site = self._site
        if order.by == "mqtt" and site.config.mqtt.commands:
            site.mqtt.command(order, datetime.fromtimestamp(site.now(), UTC))
        else:
            site.people.command(order, site.lives.folder)

    # ------------------------------------------------------------------ the process

    def _arm(self, crash: Crash) -> None:
        process = self._site.lives.process
        if process is None:
            return
        self._crash, self._left = crash, crash.nth
        if crash.where == "step":
            process.dies_at_step = process.steps + crash.nth
            process.on_kill.append(self._crashed)
        self._loop.call_later(60.0, self._give_up, crash)

    def _on_write(self, moment: str) -> None:
        self._count(moment)

    def on_order(self) -> None:
        """An order's bytes are about to leave."""
        self._count("sending")

    def _count(self, moment: str) -> None:
        crash = self._crash
        if crash is None or crash.where != moment:
            return
        self._left -= 1
        if self._left <= 0:
            self._kill(crash)

    def _give_up(self, crash: Crash) -> None:
        """Nothing of that kind came in a minute: then now."""
        if self._crash is crash:
            self._kill(crash)

    def _kill(self, crash: Crash) -> None:
        self._site.lives.kill()
        self._crashed()
        self._site.lives.start_in(crash.down_s)

    def _crashed(self) -> None:
        crash, self._crash = self._crash, None
        if crash is not None:
            self._note("process", f"crash {crash.where}", "happened", f"after {crash.nth}")
            self._site.lives.start_in(crash.down_s)

    # ------------------------------------------------------------------ the world

    def _disturb(self, fault: NetworkFault) -> None:
        wires = list(self._wires(fault.line))
        if not wires:
            return
        self._note("network", fault.what, "began" if fault.for_s else "happened", fault.line)
        for wire in wires:
            match fault.what:
                case "reset":
                    reset(wire)
                case "close":
                    finish(wire)
                case "deaf":
                    deafen(wire)
                    self._site.taps[wire].line("deaf")
                case "stall":
                    stall(wire, fault.for_s, self._loop)
                case "slow":
                    wire.slow_s = (_SHORTEST_S, max(fault.size_s, _SHORTEST_S))
                case _:
                    assert_never(fault.what)
        if fault.for_s:
            self._loop.call_later(fault.for_s, self._calm, fault, wires)

    def _calm(self, fault: NetworkFault, wires: list[Wire]) -> None:
        for wire in wires:
            wire.slow_s = None
            if fault.what == "deaf":  # the gateway's kernel has given it up, too, or its client id would stay taken
                give_up(wire)
        self._note("network", fault.what, "ended", fault.line)

    def _wires(self, line: str) -> Iterator[Wire]:
        labels = set(_LINES.values()) if line == "both" else {_LINES[line]}
        return (wire for wire in self._site.taps if wire.is_open and wire.label in labels)

    def _spoil(self, fault: DiskFault) -> None:
        disk = self._site.disk
        if fault.what == "slow":
            disk.slow_s = fault.size_s
        else:
            disk.fault = fault.what

        def mend() -> None:
            disk.slow_s, disk.fault = (0.0, disk.fault) if fault.what == "slow" else (disk.slow_s, "")

        self._lasting("disk", fault.what, fault.for_s, mend)

    def _silence(self, fault: MqttFault) -> None:
        people = self._site.people
        if fault.what in {"forged", "replayed", "retained"}:
            site = self._site
            if site.mqtt.strange(fault.what, datetime.fromtimestamp(site.now(), UTC)):
                self._note("mqtt", fault.what, "happened")
            return
        if fault.what == "channel_down":
            people.pager.is_down = True

            def mend() -> None:
                people.pager.is_down = False

            self._lasting("mqtt", fault.what, fault.for_s, mend)
        else:
            self._site.mqtt.go_down()
            self._lasting("mqtt", fault.what, fault.for_s, self._site.mqtt.come_back)

    def _lasting(self, source: str, name: str, for_s: float, mend: Callable[[], None]) -> None:
        self._note(source, name, "began")

        def end() -> None:
            mend()
            self._note(source, name, "ended")

        self._loop.call_later(for_s, end)

    def _note(self, source: str, name: str, phase: str, detail: str = "") -> None:
        self._site.recorder.fault(source, name, phase, detail)
