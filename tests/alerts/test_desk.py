"""From a notice to a person: within seconds, through failing channels, over a restart, without holding up anybody."""

import asyncio
import json
import threading
from contextlib import asynccontextmanager

import pytest

from daemon.alerts.catalogue import Severity
from daemon.alerts.desk import FAILING_S_MAX, AlertDesk
from daemon.alerts.outbox import WAITING_MAX
from daemon.alerts.spool import Spool
from shared.commands import Notify
from tests.alerts.builders import Pigeon, a_section
from tests.runtime.builders import eventually

BEAT = {"verdict": "ok", "causes": [], "session_open": True, "uptime_s": 0, "wall_step_s": 0.0}


class Seconds:
    """A monotonic clock that the test sets."""

    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def spool_file(tmp_path):
    return tmp_path / "paper" / "alerts.spool.json"


@asynccontextmanager
async def at_work(desk):
    task = asyncio.create_task(desk.run())
    try:
        yield desk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def a_desk(spool_file, seconds, *pigeons, **section):
    return AlertDesk(
        section=a_section(**section),
        channels=[pigeon.channel for pigeon in pigeons],
        spool=Spool(spool_file),
        sender="openbell paper",
        monotonic=seconds,
    )


def a_page(text="SPY has no stop"):
    return Notify(level="critical", code="unprotectable", text=text)


async def test_a_page_gets_out_well_within_five_seconds_by_every_channel(spool_file, seconds):
    phone, mailbox = Pigeon("phone", Severity.PAGE), Pigeon("mailbox")
    async with at_work(a_desk(spool_file, seconds, phone, mailbox)) as desk:
        desk.take(a_page())
        await eventually(lambda: phone.codes == mailbox.codes == ["unprotectable"], within_s=2.0)


async def test_a_notice_does_not_ring_the_phone_and_info_rings_nobody(spool_file, seconds):
    phone, mailbox = Pigeon("phone", Severity.PAGE), Pigeon("mailbox")
    async with at_work(a_desk(spool_file, seconds, phone, mailbox)) as desk:
        desk.take(Notify(level="info", code="filled", text="x"))
        desk.take(Notify(level="warning", code="order_unknown", text="x"))
        await eventually(lambda: mailbox.codes == ["order_unknown"])
    assert phone.codes == []


async def test_a_channel_that_hangs_holds_up_neither_the_loop_nor_the_others(spool_file, seconds):
    slow, quick, release = Pigeon("slow"), Pigeon("quick"), threading.Event()
    slow.waits_for = release
    async with at_work(a_desk(spool_file, seconds, slow, quick)) as desk:
        desk.take(a_page())
        await eventually(lambda: quick.codes == ["unprotectable"])
        release.set()
        await eventually(lambda: desk.outboxes[0].sent == 1)


async def test_what_fails_is_tried_again_until_it_gets_out(spool_file, seconds):
    pigeon = Pigeon()
    pigeon.fault = "HTTP 503"
    async with at_work(a_desk(spool_file, seconds, pigeon)) as desk:
        desk.take(a_page())
        await eventually(lambda: pigeon.tried == ["unprotectable"])
        pigeon.fault = ""
        await eventually(lambda: pigeon.codes == ["unprotectable"])
        assert desk.facts()["alerts"]["pigeon"] | {"last_success_age_s": 0} == {
            "last_success_age_s": 0,
            "failing_for_s": None,
            "waiting": 0,
            "sent": 1,
            "failed": 1,
            "dropped": 0,
        }


async def test_a_message_that_a_service_refuses_holds_up_no_other(spool_file, seconds):
    pigeon = Pigeon()
    pigeon.refuses = ("unprotectable",)
    async with at_work(a_desk(spool_file, seconds, pigeon)) as desk:
        desk.take(a_page())
        desk.take(Notify(level="warning", code="order_unknown", text="x"))
        await eventually(lambda: pigeon.codes == ["order_unknown"])


async def test_a_page_that_did_not_get_out_survives_a_restart(spool_file, seconds):
    pigeon = Pigeon()
    pigeon.fault = "no network"
    async with at_work(a_desk(spool_file, seconds, pigeon)) as desk:
        desk.take(a_page())
        desk.take(Notify(level="warning", code="order_unknown", text="x"))
        await eventually(spool_file.exists)
    pigeon.fault = ""
    async with at_work(a_desk(spool_file, seconds, pigeon)):
        await eventually(lambda: pigeon.codes == ["unprotectable"])
        await eventually(lambda: not spool_file.exists())


async def test_a_page_for_a_channel_that_is_gone_goes_over_the_first(spool_file, seconds):
    old, new = Pigeon("old"), Pigeon("new")
    old.fault = "no network"
    async with at_work(a_desk(spool_file, seconds, old)) as desk:
        desk.take(a_page())
        await eventually(spool_file.exists)
    async with at_work(a_desk(spool_file, seconds, new)):
        await eventually(lambda: new.codes == ["unprotectable"])


async def test_a_damaged_spool_is_put_aside_and_delivery_goes_on(spool_file, seconds):
    spool_file.parent.mkdir()
    spool_file.write_text("{half a fi")
    pigeon = Pigeon()
    async with at_work(a_desk(spool_file, seconds, pigeon)) as desk:
        desk.take(a_page())
        await eventually(lambda: pigeon.codes == ["unprotectable"])
    assert spool_file.with_suffix(".damaged").read_text() == "{half a fi"


async def test_a_spool_that_cannot_be_written_stops_no_message(tmp_path, seconds):
    (tmp_path / "paper").write_text("a file where the folder should be")
    pigeon = Pigeon()
    async with at_work(a_desk(tmp_path / "paper" / "alerts.spool.json", seconds, pigeon)) as desk:
        desk.take(a_page())
        await eventually(lambda: pigeon.codes == ["unprotectable"])


async def test_the_spool_holds_pages_only(spool_file, seconds):
    pigeon = Pigeon()
    pigeon.fault = "no network"
    async with at_work(a_desk(spool_file, seconds, pigeon)) as desk:
        desk.take(Notify(level="warning", code="order_unknown", text="x"))
        desk.take(a_page())
        await eventually(spool_file.exists)
    assert [message["code"] for message in json.loads(spool_file.read_text())["pigeon"]] == ["unprotectable"]


async def test_what_is_said_again_and_again_is_counted_and_told_with_its_count(spool_file, seconds):
    pigeon = Pigeon()
    async with at_work(a_desk(spool_file, seconds, pigeon)) as desk:
        desk.take(a_page())
        desk.take(a_page())
        desk.take(a_page())
        seconds.now_s += 3600.0
        desk.tick()
        await eventually(lambda: len(pigeon.carried) == 2)
    assert [message.text for message in pigeon.carried] == [
        "SPY has no stop",
        "SPY has no stop (2 more since the last message)",
    ]


async def test_a_silent_channel_is_an_alarm_on_the_others(spool_file, seconds):
    broken, sound = Pigeon("broken"), Pigeon("sound")
    broken.fault = "HTTP 401"
    async with at_work(a_desk(spool_file, seconds, broken, sound)) as desk:
        desk.take(a_page())
        await eventually(lambda: broken.tried)
        desk.outboxes[0].failing_since_s = seconds.now_s
        seconds.now_s += FAILING_S_MAX
        desk.tick()
        desk.tick()
        await eventually(lambda: sound.codes == ["unprotectable", "alert_channel_failing"])
        assert [page.code for page in desk.outboxes[0].pages()] == ["unprotectable"]
    assert sound.carried[1].severity is Severity.PAGE


async def test_the_way_to_a_person_is_tried_by_the_clock_over_every_channel(spool_file, seconds):
    phone = Pigeon("phone", Severity.PAGE)
    async with at_work(a_desk(spool_file, seconds, phone, check_every_s=86_400.0)) as desk:
        seconds.now_s += 86_399.0
        desk.tick()
        seconds.now_s += 1.0
        desk.tick()
        desk.tick()
        await eventually(lambda: phone.codes == ["delivery_check"])
    assert phone.tried == ["delivery_check"]


async def test_a_beat_that_turns_critical_is_a_page(spool_file, seconds):
    pigeon = Pigeon()
    async with at_work(a_desk(spool_file, seconds, pigeon)) as desk:
        desk.on_beat(BEAT | {"verdict": "critical", "causes": ["positions without a whole stop: 1"]})
        await eventually(lambda: pigeon.codes == ["verdict_critical"])


async def test_a_run_that_ends_by_an_error_is_a_page_and_one_that_was_told_to_is_none(spool_file, seconds):
    pigeon = Pigeon()
    async with at_work(a_desk(spool_file, seconds, pigeon)) as desk:
        desk.part("")
        desk.part("journal: disk is full, nothing was sent")
        assert await desk.drained(2.0)
    assert [message.text for message in pigeon.carried] == [
        "the daemon has ended: journal: disk is full, nothing was sent"
    ]


async def test_under_a_flood_without_a_network_memory_is_bounded_and_no_page_is_dropped(spool_file, seconds):
    pigeon = Pigeon()
    pigeon.fault = "no network"
    desk = a_desk(spool_file, seconds, pigeon, per_hour_max=1_000)
    desk.take(a_page())
    for number in range(WAITING_MAX + 50):
        desk.take(Notify(level="warning", code="rejected", text=f"order {number}"))
    (box,) = desk.outboxes
    assert (len(box), box.dropped) == (WAITING_MAX, 51)
    assert [page.code for page in box.pages()] == ["unprotectable"]
