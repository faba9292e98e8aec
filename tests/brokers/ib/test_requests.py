"""When a question has an answer, and whose answer it is."""

import asyncio
import gc

import pytest

from brokers.ib.requests import POSITIONS, RequestRefused, Requests
from shared.errors import BrokerUnavailable
from tests.simulation.test_world_loop import run


def nothing() -> None:
    """Stands for the sending."""


async def asked(requests: Requests, key: int | str = POSITIONS, timeout_s: float = 5.0) -> asyncio.Task[list[int]]:
    """A question that has left."""
    left = asyncio.Event()
    task = asyncio.create_task(requests.ask("question", key, left.set, timeout_s))
    await left.wait()
    return task


async def test_the_rows_before_the_end_marker_are_the_answer():
    requests = Requests()
    requests.add(POSITIONS, 0)
    task = await asked(requests)
    requests.add(POSITIONS, 1)
    requests.add(POSITIONS, 2)
    requests.add(17, 3)
    requests.end(POSITIONS)
    requests.add(POSITIONS, 4)
    assert await task == [1, 2]


async def test_an_error_code_ends_its_own_question_only():
    requests = Requests()
    first, second = await asked(requests, 1), await asked(requests, 2)
    assert requests.refuse(1, 321, "no")
    assert not requests.refuse(3, 321, "no")
    requests.end(2)
    with pytest.raises(RequestRefused, match="321 no"):
        await first
    assert await second == []


async def test_two_questions_of_one_kind_wait_for_each_other():
    requests = Requests()
    first = await asked(requests)
    second = asyncio.create_task(requests.ask("question", POSITIONS, nothing, 5.0))
    requests.add(POSITIONS, 1)
    requests.end(POSITIONS)
    assert await first == [1]
    while not requests.is_open(POSITIONS):  # noqa: ASYNC110 - the lock passes on in the loop's own time
        await asyncio.sleep(0)
    requests.add(POSITIONS, 2)
    requests.end(POSITIONS)
    assert await second == [2]


async def test_the_late_answer_to_a_question_given_up_is_thrown_away():
    requests = Requests()
    given_up = await asked(requests)
    requests.add(POSITIONS, 1)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    task = await asked(requests)
    requests.add(POSITIONS, 2)
    requests.end(POSITIONS)
    requests.add(POSITIONS, 3)
    requests.end(POSITIONS)
    assert await task == [3]


async def test_the_late_end_of_a_question_given_up_settles_the_debt_by_itself():
    requests = Requests()
    with pytest.raises(BrokerUnavailable):
        await requests.ask("question", POSITIONS, nothing, 0.0)
    requests.end(POSITIONS)
    task = await asked(requests)
    requests.add(POSITIONS, 1)
    requests.end(POSITIONS)
    assert await task == [1]


async def given_up(requests: Requests) -> None:
    """A question of which nothing was heard."""
    task = await asked(requests)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def an_answer(requests: Requests, sent: list[str], timeout_s: float = 5.0) -> list[int]:
    """What is taken for the answer where the broker answers each asking at once, with its number."""

    def send() -> None:
        sent.append("")
        asyncio.get_running_loop().call_soon(reply, len(sent))

    def reply(number: int) -> None:
        requests.add(POSITIONS, number)
        requests.end(POSITIONS)

    return await requests.ask("question", POSITIONS, send, timeout_s)


async def test_after_a_lost_end_marker_the_question_is_asked_twice_for_nobody_can_tell_whose_answer_comes():
    requests, sent = Requests(), list[str]()
    await given_up(requests)
    assert await an_answer(requests, sent) == [2]


@pytest.mark.parametrize(("lost", "asked_times"), [(1, 2), (3, 4), (20, 4)])
async def test_however_many_end_markers_were_lost_the_question_is_soon_answered(lost, asked_times):
    requests, sent = Requests(), list[str]()
    for _ in range(lost):
        await given_up(requests)
    await an_answer(requests, sent)
    assert len(sent) == asked_times


async def test_an_answer_that_may_still_be_of_the_last_question_is_not_taken_for_the_next_one():
    """One marker was late: the second answer to the question asked twice is still to come when it is answered."""
    requests = Requests()
    await given_up(requests)
    late = await asked(requests)
    for number in (1, 2):
        requests.add(POSITIONS, number)
        requests.end(POSITIONS)
    assert await late == [2]
    task = await asked(requests)
    for number in (3, 4):
        requests.add(POSITIONS, number)
        requests.end(POSITIONS)
    assert await task == [4]


def test_a_marker_that_is_missing_a_time_out_after_a_later_answer_was_lost():
    async def work() -> list[int]:
        requests, sent = Requests(), list[str]()
        await given_up(requests)
        await an_answer(requests, sent)
        await asyncio.sleep(5.0)
        sent.clear()
        await an_answer(requests, sent)
        return [len(sent)]

    assert run(work) == [1]


async def asked_in_vain(requests: Requests, passes: bool) -> None:
    """A question of which nothing was heard; the line passes another one's answer meanwhile, or nothing at all."""
    other = await asked(requests, 17)
    task = await asked(requests)
    if passes:
        requests.end(17)
    await asyncio.gather(task, other, return_exceptions=True)


@pytest.mark.parametrize(("passes", "asked_times"), [(True, 2), (False, 4)])
def test_markers_that_answers_asked_for_later_have_overtaken_were_lost(passes, asked_times):
    """Four minutes long nobody knew what is held, for four markers in a row had to come through (brutal 9193)."""

    async def work() -> list[int]:
        requests, sent = Requests(), list[str]()
        for _ in range(3):
            await asked_in_vain(requests, passes)
        await an_answer(requests, sent)
        return [len(sent)]

    assert run(work) == [asked_times]


def test_the_answer_to_a_question_asked_before_it_proves_no_marker_lost():
    async def work() -> list[int]:
        requests, sent = Requests(), list[str]()
        other = await asked(requests, 17, timeout_s=60.0)
        await given_up(requests)
        await asyncio.sleep(10.0)
        requests.end(17)
        await other
        await an_answer(requests, sent)
        return [len(sent)]

    assert run(work) == [2]


async def test_a_spoilt_answer_is_no_answer_even_with_its_end_marker():
    requests = Requests()
    task = await asked(requests, 5)
    assert requests.spoil(5, "a row could not be read")
    requests.end(5)
    with pytest.raises(BrokerUnavailable, match="a row could not be read"):
        await task


async def test_a_lost_connection_answers_every_question_and_every_later_one():
    requests = Requests()
    task = await asked(requests)
    requests.close("the socket is gone")
    for question in (task, requests.ask("question", 9, nothing, 5.0)):
        with pytest.raises(BrokerUnavailable, match="question: the socket is gone"):
            await question


async def test_a_question_that_dies_with_the_line_while_it_leaves_leaves_no_complaint():
    """storm 2911: nobody waited for the answer yet, and at a stop asyncio complained of an error without a reader."""
    requests, complaints = Requests(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))

    def send() -> None:
        requests.close("the socket is gone")
        raise BrokerUnavailable("not connected")

    with pytest.raises(BrokerUnavailable, match="not connected"):
        await requests.ask("question", POSITIONS, send, 5.0)
    gc.collect()
    assert complaints == []
