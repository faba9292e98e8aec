import asyncio
from functools import partial

import pytest

from brokers.simulated.gateway.runtime.agenda import Agenda
from brokers.simulated.gateway.runtime.clock import ManualClock, RunningClock
from brokers.simulated.gateway.server import SimulatedGateway
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, STEP_S, ScriptedMarket, flat


def noting(desktop, into):
    return lambda: into.append(desktop.gateway.session.instant() - OPENS_AT)


async def advanced(desktop, at):
    desktop.clock.advance_to(at)
    async with asyncio.timeout(5):
        await desktop.gateway.session.played_to(at)


def test_entries_happen_in_the_order_of_their_instants_then_of_their_putting_down():
    done: list[str] = []
    agenda = Agenda(lambda: 0.0)
    for instant, name in [(2.0, "b"), (1.0, "a"), (2.0, "c"), (3.0, "d")]:
        agenda.at(instant, partial(done.append, name))
    agenda.run_until(2.0)
    assert done == ["a", "b", "c"]
    assert agenda.next_at() == 3.0


def test_a_delay_put_down_by_a_running_entry_counts_from_that_entrys_instant():
    agenda, done = Agenda(lambda: 100.0), []
    agenda.at(10.0, lambda: agenda.after(2.0, lambda: done.append("later")))
    agenda.run_until(11.9)
    assert (done, agenda.next_at()) == ([], 12.0)


def test_whoever_waits_hears_only_of_an_entry_that_comes_first():
    agenda, heard = Agenda(lambda: 0.0), []
    agenda.on_earlier = lambda: heard.append(agenda.next_at())
    agenda.at(5.0, lambda: None)
    agenda.at(7.0, lambda: None)
    agenda.at(4.0, lambda: None)
    assert heard == [5.0, 4.0]


async def test_an_entry_happens_before_the_first_step(desktop_with):
    at: list[float] = []
    desktop = await desktop_with()
    desktop.gateway.session.agenda.at(OPENS_AT - 30, noting(desktop, at))
    await advanced(desktop, OPENS_AT - 31)
    assert at == []
    await advanced(desktop, OPENS_AT - 30)
    assert at == [-30.0]


async def test_an_entry_inside_a_step_happens_before_that_step_is_played(desktop_with):
    desktop = await desktop_with([flat(100.0), flat(200.0)])
    tape, prices = desktop.gateway.session.tape, []
    desktop.gateway.session.agenda.at(OPENS_AT + 7, lambda: prices.append(tape.last[0]))
    await desktop.play(2)
    assert prices == [100.0]


async def test_an_entry_at_the_end_of_a_step_happens_after_it_was_played(desktop_with):
    desktop = await desktop_with([flat(100.0), flat(200.0)])
    tape, prices = desktop.gateway.session.tape, []
    desktop.gateway.session.agenda.at(OPENS_AT + 10, lambda: prices.append(tape.last[0]))
    await desktop.play(2)
    assert prices == [200.0]


async def test_entries_happen_after_the_close(desktop_with):
    at: list[float] = []
    desktop = await desktop_with([flat(100.0)] * 2)
    desktop.gateway.session.agenda.at(OPENS_AT + 3600, noting(desktop, at))
    await desktop.play(2)
    await advanced(desktop, OPENS_AT + 7200)
    assert at == [7200.0]


async def test_a_running_clock_is_woken_for_an_entry_put_down_while_it_waits():
    """The lead-in of 60 s at real speed would take a minute; what is due in 10 ms must not wait for the open."""
    market = ScriptedMarket([flat(100.0)] * 2)
    async with SimulatedGateway(market, port=0, speed=1.0) as gateway:
        await asyncio.sleep(0)  # the market now waits for the open
        happened = asyncio.Event()
        gateway.session.agenda.after(0.01, happened.set)
        async with asyncio.timeout(5):
            await happened.wait()


async def test_a_running_clock_stands_until_it_is_started():
    wall = [10.0]
    clock = RunningClock(1000.0, 5.0, monotonic=lambda: wall[0])
    wall[0] = 20.0
    assert clock.now() == 1000.0
    clock.start()
    wall[0] = 22.0
    assert clock.now() == 1010.0


async def test_a_running_clock_changes_its_speed_without_a_jump_and_skips_forward_only():
    wall = [0.0]
    clock = RunningClock(0.0, 10.0, monotonic=lambda: wall[0])
    clock.start()
    wall[0] = 1.0
    clock.set_speed(2.0)
    assert clock.now() == 10.0
    wall[0] = 2.0
    assert clock.now() == 12.0
    clock.skip_to(100.0)
    clock.skip_to(50.0)
    assert clock.now() == 100.0


async def test_the_virtual_clock_never_moves_back_and_by_nobody_else():
    clock = ManualClock(100.0)
    clock.advance_to(90.0)
    clock.skip_to(500.0)
    clock.start()
    assert clock.now() == 100.0


@pytest.mark.parametrize("speed", [0.5, 5001.0])
def test_a_speed_out_of_range_is_refused(speed):
    with pytest.raises(ValueError, match="speed"):
        RunningClock(0.0, speed)


async def test_market_time_between_two_steps_is_known_to_delays_but_not_to_clients(desktop_with):
    desktop = await desktop_with()
    await desktop.play(1)
    desktop.clock.advance_to(OPENS_AT + STEP_S + 3)
    session = desktop.gateway.session
    assert session.now() == OPENS_AT + STEP_S
    assert session.instant() == OPENS_AT + STEP_S + 3
