"""The twin does to the daemon's link what a real broker does: the same cases against both."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from shared.io.mqtt import MqttLink
from shared.io.mqtt_port import MqttMessage, MqttPlace, Retained
from tests.runtime.builders import eventually
from tests.simulation.mqtt_brokers import RealBroker, TwinBroker
from tests.simulation.world.mqtt_twin import MqttTwin, TwinClient, fits
from tests.simulation.world.process import Process

BACK_OFF_S = (0.02, 0.1)
HELLO, WILL = Retained(topic="ob/here", payload="online"), Retained(topic="ob/here", payload="offline")


@pytest.fixture(params=[RealBroker, TwinBroker])
async def broker(request):
    broker = request.param()
    await broker.open()
    yield broker
    await broker.close()


@asynccontextmanager
async def a_link(broker, *, client_id="ob", **settings):
    settings = {"hello": HELLO, "will": WILL, "back_off_s": BACK_OFF_S, **settings}
    link = broker.open_link(broker.place, client_id=client_id, **settings)
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def texts(heard):
    return [message.payload.decode() for message in heard]


async def test_whoever_comes_later_hears_what_is_kept_and_that_it_is_old(broker):
    async with a_link(broker) as link:
        link.keep(Retained(topic="ob/state", payload="1"))
        link.keep(Retained(topic="ob/state", payload="2"))
        before = await broker.listen("ob/#")
        await eventually(lambda: "2" in texts(before))
        late = await broker.listen("ob/#")
        await eventually(lambda: len(late) == 2)
    assert sorted((each.topic, each.payload, each.is_retained) for each in late[:2]) == [
        ("ob/here", b"online", True),
        ("ob/state", b"2", True),
    ]


async def test_what_comes_while_one_listens_is_not_marked_as_old(broker):
    heard = await broker.listen("ob/+")
    async with a_link(broker):
        await eventually(lambda: heard)
    assert (heard[0].topic, heard[0].payload, heard[0].is_retained) == ("ob/here", b"online", False)


async def test_a_link_that_leaves_says_its_will_itself(broker):
    heard = await broker.listen("ob/here")
    async with a_link(broker) as link:
        await eventually(lambda: link.is_up and texts(heard) == ["online"])
    await eventually(lambda: texts(heard) == ["online", "offline"])


async def test_a_line_that_is_cut_lets_the_broker_say_the_will_and_the_link_comes_back(broker):
    heard = await broker.listen("ob/#")
    async with a_link(broker) as link:
        link.keep(Retained(topic="ob/state", payload="held"))
        await eventually(lambda: link.is_up and "held" in texts(heard))
        broker.cut()
        await eventually(lambda: link.connects == 2 and texts(heard).count("held") == 2)
        await eventually(lambda: [text for text in texts(heard) if text != "held"] == ["online", "offline", "online"])


async def test_a_link_hears_its_topics_and_what_was_kept_from_before_is_marked(broker):
    await broker.publish("ob/command", b"old", retain=True)
    heard: list[MqttMessage] = []
    async with a_link(broker, topics=("ob/command",), on_message=heard.append) as link:
        await eventually(lambda: link.is_up and heard)
        await broker.publish("ob/command", b"new")
        await broker.publish("ob/other", b"not mine")
        await eventually(lambda: len(heard) == 2)
    assert [(each.payload, each.is_retained) for each in heard] == [(b"old", True), (b"new", False)]


async def test_an_empty_retained_message_makes_the_broker_forget(broker):
    await broker.publish("ob/command", b"old", retain=True)
    await broker.publish("ob/command", b"", retain=True)
    await broker.publish("ob/mark", b"kept", retain=True)
    heard = await broker.listen("ob/#")
    await eventually(lambda: heard)
    assert texts(heard) == ["kept"]


async def test_a_broker_that_goes_and_comes_gets_what_is_kept_again_and_not_what_was_sent_meanwhile(broker):
    async with a_link(broker) as link:
        link.keep(Retained(topic="ob/state", payload="held"))
        await eventually(lambda: link.is_up)
        await broker.down()
        await eventually(lambda: not link.is_up and link.losses)
        link.send("ob/reply", "lost")
        await broker.up()
        heard = await broker.listen("ob/#")
        await eventually(lambda: link.is_up and "held" in texts(heard))
        link.send("ob/reply", "said")
        await eventually(lambda: "said" in texts(heard))
    assert "lost" not in texts(heard)


async def test_a_second_client_of_the_same_id_throws_the_first_out():
    broker = TwinBroker()  # MQTT 3.1.1, 3.1.4-2 demands it; amqtt lets both stay
    async with a_link(broker, back_off_s=(60.0, 60.0)) as first:
        await eventually(lambda: first.is_up)
        async with a_link(broker, back_off_s=(60.0, 60.0)) as second:
            await eventually(lambda: second.is_up and not first.is_up)


async def test_a_broker_that_answers_nothing_is_left_and_tried_again():
    twin = MqttTwin()
    client = TwinClient(twin, "ob", None)
    async with client:
        twin.is_stalled = True
        with pytest.raises(Exception, match="timed out"):
            await client.publish("ob/state", b"1", timeout=0.01)
    assert twin.kept == {}


async def test_a_process_that_is_killed_says_nothing_more_and_its_will_is_published():
    broker, process = TwinBroker(), Process(1)
    heard = await broker.listen("ob/here")
    link = broker.open_link(broker.place, client_id="ob", hello=HELLO, will=WILL)
    running = process.started(link.run(), "link")
    await eventually(lambda: link.is_up)
    process.kill()
    assert texts(heard) == ["online", "offline"]
    running.cancel()
    await _ended(running)


async def test_a_link_that_is_told_to_go_while_its_line_is_lost_goes():
    broker = TwinBroker()
    link = broker.open_link(broker.place, client_id="ob", will=WILL, back_off_s=BACK_OFF_S)
    running = asyncio.create_task(link.run())
    await eventually(lambda: link.is_up)
    broker.cut()
    running.cancel()
    await _ended(running)


class Swallowing(TwinClient):
    """Confirmations that come together with a cancel: wait_for of Python 3.11 returns them and loses the cancel."""

    async def subscribe(self, topic, qos=0, timeout=10):  # noqa: ASYNC109 - as Client has it
        try:
            await asyncio.sleep(60 if topic == "ob/slow" else 0)
        except asyncio.CancelledError:
            return

    async def publish(self, topic, payload, qos=0, retain=False, timeout=10):  # noqa: ASYNC109 - as Client has it
        try:
            await super().publish(topic, payload, qos, retain, timeout)
            if topic == "ob/state":
                await asyncio.sleep(60)
        except asyncio.CancelledError:
            return


def a_swallowing_link(twin, **settings):
    return MqttLink(
        MqttPlace(host="mqtt.invalid", port=1883),
        client_id="ob",
        back_off_s=BACK_OFF_S,
        open_client=lambda _place, client_id, _tls, will: Swallowing(twin, client_id, will),
        **settings,
    )


async def test_a_cancel_that_is_swallowed_while_it_subscribes_ends_the_link_all_the_same():
    twin = MqttTwin()
    running = asyncio.create_task(a_swallowing_link(twin, topics=("ob/slow",)).run())
    await eventually(lambda: twin.client_ids)
    running.cancel()
    await _ended(running)


async def test_a_cancel_that_the_client_swallows_does_not_keep_the_link_from_coming_back():
    twin = MqttTwin()
    link = a_swallowing_link(twin)
    link.keep(Retained(topic="ob/state", payload="held"))
    running = asyncio.create_task(link.run())
    await eventually(lambda: twin.kept)
    twin.drop()
    await eventually(lambda: link.connects == 2)
    running.cancel()
    await _ended(running)


async def _ended(running):
    """Wait for it; one that goes on is ended by force, so that the test ends, too."""
    await asyncio.wait([running], timeout=1)
    is_ended = running.cancelled()
    for _ in range(100):
        running.cancel()
        await asyncio.sleep(0)
    assert is_ended


@pytest.mark.parametrize(
    ("pattern", "topic", "is_fit"),
    [  # the examples of MQTT 3.1.1, 4.7.1
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("#", "sport", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("+", "/finance", False),
    ],
)
def test_a_filter_fits_as_the_standard_says(pattern, topic, is_fit):
    assert fits(pattern, topic) is is_fit
