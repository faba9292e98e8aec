import asyncio
import random
from contextlib import contextmanager
from typing import Any

import pytest

from tests.simulation.world.loop import STARTS_AT_S, Stuck, VirtualLoop
from tests.simulation.world.network import Network, deafen, finish, reset, stall
from tests.simulation.world.process import OWNER, Process

_kept: list[object] = []


@contextmanager
def a_loop(seed=None, latency=(0.01, 0.01)):
    loop = VirtualLoop(None if seed is None else random.Random(seed))
    loop.network = Network(loop, random.Random(1), latency)
    _kept.clear()
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        for wire in list(loop.network.wires):
            for end in wire.each_end():
                end.die()
        left = list(loop.tasks)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(asyncio.sleep(0), *left, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()


def run(work, seed=None, latency=(0.01, 0.01)):
    with a_loop(seed, latency) as loop:
        return loop.run_until_complete(work())


def kept(writer):
    """A writer that goes before its loop complains: a_loop ends what is open."""
    _kept.append(writer)


async def an_echo():
    """A server that sends back what it gets; how to connect to it, and the wires that were made."""

    async def serve(reader, writer):
        kept(writer)
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    await asyncio.start_server(serve, "127.0.0.1", 4010)
    reader, writer = await asyncio.open_connection("127.0.0.1", 4010)
    kept(writer)
    loop: Any = asyncio.get_running_loop()
    wire = next(iter(loop.network.wires))
    return reader, writer, wire


# ---------------------------------------------------------------------- time


def test_a_day_of_sleep_takes_no_time_and_moves_the_clock_exactly():
    async def work():
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    assert run(work) == STARTS_AT_S + 86_400


def test_timers_of_several_tasks_come_in_the_order_of_their_times():
    async def work():
        order = []

        async def one(delay_s):
            await asyncio.sleep(delay_s)
            order.append(delay_s)

        await asyncio.gather(*(one(delay_s) for delay_s in (3, 1, 2)))
        return order

    assert run(work, seed=5) == [1, 2, 3]


def test_a_wait_that_nothing_can_end_is_named_and_does_not_hang():
    async def work():
        await asyncio.Event().wait()

    with pytest.raises(Stuck, match="no timer runs"):
        run(work)


def test_threads_run_inline_so_that_their_order_is_always_the_same():
    async def work():
        return await asyncio.to_thread(lambda: 7)

    assert run(work) == 7


# ---------------------------------------------------------------------- order


async def the_order_of_ten_ready_tasks():
    order = []

    async def one(number):
        await asyncio.sleep(0)
        order.append(number)

    await asyncio.gather(*(one(number) for number in range(10)))
    return order


def test_without_a_seed_ready_tasks_run_in_the_order_they_came():
    assert run(the_order_of_ten_ready_tasks) == list(range(10))


def test_a_seed_gives_another_order_and_the_same_one_again():
    first, again, other = (run(the_order_of_ten_ready_tasks, seed) for seed in (1, 1, 2))
    assert sorted(first) == list(range(10))
    assert first == again
    assert first != other
    assert first != list(range(10))


def test_bytes_arrive_in_order_whatever_the_seed_does_to_tasks():
    async def work():
        reader, writer, _ = await an_echo()
        for number in range(50):
            writer.write(b"%02d" % number)
        return await reader.readexactly(100)

    assert run(work, seed=3, latency=(0.0, 0.5)) == b"".join(b"%02d" % number for number in range(50))


# ---------------------------------------------------------------------- the network


def test_a_packet_takes_its_latency_each_way():
    async def work():
        reader, writer, _ = await an_echo()
        sent_at = asyncio.get_running_loop().time()
        writer.write(b"x")
        await reader.readexactly(1)
        return asyncio.get_running_loop().time() - sent_at

    assert run(work) == pytest.approx(0.02)


def test_where_nobody_listens_a_connection_is_refused():
    async def work():
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", 4011)

    run(work)


def test_a_reset_is_an_error_to_both_sides():
    async def work():
        reader, _, wire = await an_echo()
        reset(wire)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        await asyncio.sleep(1)
        return wire.is_open

    assert run(work) is False


def test_a_fin_is_an_end_of_file():
    async def work():
        reader, _, wire = await an_echo()
        finish(wire)
        return await reader.read()

    assert run(work) == b""


def test_after_a_fin_nothing_more_comes():
    """A protocol that goes on after the end of file was handed what its peer still wrote (brutal 54155)."""

    async def work():
        heard = []
        reader, writer, wire = await an_echo()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["message"]))
        finish(wire)
        wire.client.take(b"x")
        writer.write(b"y")
        await asyncio.sleep(1)
        return await reader.read(), heard

    assert run(work) == (b"", [])


def test_a_deaf_line_swallows_everything_and_tells_nobody():
    async def work():
        reader, writer, wire = await an_echo()
        deafen(wire)
        writer.write(b"x")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3_600):
                await reader.readexactly(1)
        return wire.is_open

    assert run(work) is True


def test_a_stalled_line_delivers_everything_afterwards_in_order():
    async def work():
        reader, writer, wire = await an_echo()
        stall(wire, 30.0, asyncio.get_running_loop())
        sent_at = asyncio.get_running_loop().time()
        writer.write(b"ab")
        writer.write(b"cd")
        answer = await reader.readexactly(4)
        return answer, asyncio.get_running_loop().time() - sent_at

    answer, took_s = run(work)
    assert answer == b"abcd"
    assert took_s == pytest.approx(30.01, abs=0.02)


def test_who_writes_more_than_anybody_reads_is_told_to_wait():
    async def work():
        _, writer, wire = await an_echo()
        wire.server.hold()
        writer.write(b"x" * (4 << 20))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await writer.drain()
        wire.server.release()
        await writer.drain()

    run(work)


# ---------------------------------------------------------------------- processes


def test_what_a_process_starts_belongs_to_it_however_deep():
    async def work():
        process, owners = Process(1), []

        async def inner():
            owners.append(OWNER.get())

        async def outer():
            await asyncio.create_task(inner())
            asyncio.get_running_loop().call_later(1, lambda: owners.append(OWNER.get()))

        await process.started(outer(), "outer")
        await asyncio.sleep(2)
        return [owner is process for owner in owners], OWNER.get()

    assert run(work) == ([True, True], None)


def test_a_killed_process_runs_no_instruction_more_not_even_a_finally():
    async def work():
        process, marks = Process(1), []

        async def life():
            try:
                while True:
                    marks.append("alive")
                    await asyncio.sleep(1)
            finally:
                marks.append("finally")

        process.started(life(), "life")
        await asyncio.sleep(2.5)
        process.kill()
        before = len(marks)
        await asyncio.sleep(100)
        after = list(marks)
        process.bury()
        return before, after

    before, after = run(work)
    assert before == 3
    assert after == ["alive"] * 3


def test_a_process_dies_at_the_step_that_was_chosen():
    async def work():
        process, steps = Process(1), []

        async def life():
            for number in range(100):
                steps.append(number)
                await asyncio.sleep(0)

        process.dies_at_step = 10
        process.started(life(), "life")
        await asyncio.sleep(1)
        process.bury()
        return process.is_alive, steps

    is_alive, steps = run(work)
    assert not is_alive
    assert steps == list(range(9))


def test_the_kernel_closes_a_killed_process_s_sockets_and_delivers_what_it_had_written():
    async def work():
        process, received = Process(1), []

        async def serve(reader, writer):
            kept(writer)
            received.append(await reader.read(100))
            received.append(await reader.read(100))

        async def life():
            _, writer = await asyncio.open_connection("127.0.0.1", 4010)
            kept(writer)
            writer.write(b"last words")
            await asyncio.sleep(3_600)

        await asyncio.start_server(serve, "127.0.0.1", 4010)
        process.started(life(), "life")
        await asyncio.sleep(0.011)
        process.kill()
        await asyncio.sleep(1)
        process.bury()
        return received

    assert run(work) == [b"last words", b""]


def test_the_kernel_closes_what_a_process_that_ends_of_itself_has_left_open():
    async def work():
        process, received = Process(1), []

        async def serve(reader, writer):
            kept(writer)
            received.append(await reader.read(100))

        async def life():
            kept((await asyncio.open_connection("127.0.0.1", 4010))[1])

        await asyncio.start_server(serve, "127.0.0.1", 4010)
        await process.started(life(), "life")
        await asyncio.sleep(1)
        before = list(received)
        process.end()
        await asyncio.sleep(1)
        process.bury()
        return before, received

    assert run(work) == ([], [b""])
