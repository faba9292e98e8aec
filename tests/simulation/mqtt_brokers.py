"""Two MQTT brokers behind one face: a real one on loopback, with a relay that can cut lines, and the twin in memory."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from asyncio_mqtt import Client

from shared.io.mqtt import MqttLink
from shared.io.mqtt_port import MqttMessage, MqttPlace
from tests.control.builders import an_amqtt_broker, free_port
from tests.simulation.world.mqtt_twin import MqttTwin


class RealBroker:
    """amqtt; what is cut is the relay between it and the link."""

    open_link = MqttLink

    def __init__(self):
        self._port = free_port()
        self._standing = AsyncExitStack()
        self._listening = AsyncExitStack()
        self._writers = []

    async def open(self):
        await self.up()
        self._relay = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.place = MqttPlace(host="127.0.0.1", port=self._relay.sockets[0].getsockname()[1])

    async def close(self):
        await self._listening.aclose()
        self._relay.close()
        self.cut()
        await self._standing.aclose()

    async def up(self):
        await self._standing.enter_async_context(an_amqtt_broker(self._port))

    async def down(self):
        await self._listening.aclose()
        self.cut()
        await self._standing.aclose()

    def cut(self):
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def publish(self, topic, payload, *, retain=False):
        async with Client("127.0.0.1", self._port) as client:
            await client.publish(topic, payload, qos=1, retain=retain)

    async def listen(self, pattern):
        heard: list[MqttMessage] = []
        client = await self._listening.enter_async_context(Client("127.0.0.1", self._port))
        arriving = await self._listening.enter_async_context(client.messages())

        async def keep():
            async for message in arriving:
                assert isinstance(message.payload, bytes)
                told = MqttMessage(topic=str(message.topic), payload=message.payload, is_retained=bool(message.retain))
                heard.append(told)

        await self._listening.enter_async_context(_running(keep()))
        await client.subscribe(pattern, qos=1)
        return heard

    async def _carry(self, reader, writer):
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._writers += [writer, far_writer]
            await asyncio.gather(_pour(reader, far_writer), _pour(far_reader, writer))
        writer.close()


class TwinBroker:
    """The twin; nothing has to be waited for."""

    def __init__(self):
        self.twin = MqttTwin()
        self.open_link = self.twin.open_link
        self.place = MqttPlace(host="mqtt.invalid", port=1883)

    async def open(self):
        pass

    async def close(self):
        pass

    async def up(self):
        self.twin.up()

    async def down(self):
        self.twin.down()

    def cut(self):
        self.twin.drop()

    async def publish(self, topic, payload, *, retain=False):
        self.twin.publish(topic, payload, retain=retain)

    async def listen(self, pattern):
        heard: list[MqttMessage] = []
        self.twin.listen(pattern, heard.append)
        return heard


@asynccontextmanager
async def _running(work):
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _pour(reader, writer):
    with suppress(OSError):
        while data := await reader.read(1 << 12):
            writer.write(data)
    writer.close()
