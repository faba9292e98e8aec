"""The same with mosquitto, as docs/control.md sets it up: password, ACL and TLS. Skipped where it is not installed."""

import asyncio
import re
import shutil
import ssl
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from asyncio_mqtt import Client

from daemon.control.mqtt_client import ask_over_mqtt
from shared.errors import BrokerUnavailable
from tests.control.builders import KEY, FakeGate, a_command, free_port
from tests.control.test_mqtt import FACTS, running, texts, wall_now
from tests.runtime.builders import a_config, eventually

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("mosquitto", "mosquitto_passwd", "openssl"))),
    reason="mosquitto or openssl not installed",
)
PASSWORDS = {"openbell": "the daemon's own word", "operator": "the operator's word", "screen": "who only watches"}
PAGE = (Path(__file__).parents[2] / "docs" / "control.md").read_text()


def run(*arguments, cwd):
    subprocess.run(arguments, cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority and a server's certificate for 127.0.0.1, signed by it."""
    folder = tmp_path_factory.mktemp("tls")
    key = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    run(
        "openssl",
        "req",
        "-x509",
        *key,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-subj",
        "/CN=test authority",
        cwd=folder,
    )
    run("openssl", "req", *key[:3], "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1", cwd=folder)
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    run("openssl", "x509", "-req", "-in", "server.csr", *signing, "-out", "server.pem", cwd=folder)
    return folder


@asynccontextmanager
async def mosquitto(folder, certificates):
    """The broker of the documentation: its listener, its ACL, on a port of ours."""
    port = free_port()
    blocks = re.findall(r"```\n(.*?)```", PAGE.partition("### mosquitto")[2], re.DOTALL)
    settings, acl = blocks[0], blocks[1]
    for name, place in {"/etc/mosquitto/server": certificates / "server", "/etc/mosquitto": folder}.items():
        settings = settings.replace(name, str(place))
    (folder / "mosquitto.conf").write_text(settings.replace("8883", f"{port} 127.0.0.1") + "\nuser root\n")
    (folder / "acl").write_text(acl)
    (folder / "passwords").write_text("".join(f"{name}:{word}\n" for name, word in PASSWORDS.items()))
    run("mosquitto_passwd", "-U", str(folder / "passwords"), cwd=folder)
    process = await asyncio.create_subprocess_exec(
        "mosquitto", "-c", str(folder / "mosquitto.conf"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        await _listening(port, process)
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _listening(port, process):
    async with asyncio.timeout(10):
        while True:
            assert process.returncode is None, (await process.stdout.read()).decode()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return


def a_secured_config(folder, port, certificates, user="openbell", **changes):
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    for name, word in {"command_key": KEY, f"{user}_password": PASSWORDS.get(user, "none of theirs")}.items():
        (secrets / name).write_text(word)
        (secrets / name).chmod(0o600)
    section = {
        "enabled": True,
        "port": port,
        "commands": True,
        "tls": True,
        "ca_file": str(certificates / "ca.pem"),
        "username": user,
        "password_secret": f"{user}_password",
        "home_assistant": True,
        **changes,
    }
    return a_config(folder, mqtt=section, control={"enabled": False})


@asynccontextmanager
async def watching(port, certificates, user, *topics):
    heard = []

    async def listen(messages):
        async for message in messages:
            heard.append(  # noqa: PERF401 - as they come
                (str(message.topic), message.payload.decode(), bool(message.retain))
            )

    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    async with (
        Client("127.0.0.1", port, username=user, password=PASSWORDS[user], tls_context=context) as client,
        client.messages() as messages,
    ):
        task = asyncio.create_task(listen(messages))
        for topic in topics:
            await client.subscribe(topic, qos=1)
        try:
            yield client, heard
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_over_tls_with_password_and_acl_all_topics_work(tmp_path, certificates):
    gate = FakeGate()
    async with mosquitto(tmp_path, certificates) as port:
        daemon = a_secured_config(tmp_path, port, certificates)
        async with running(daemon, gate) as control:
            control.beat(FACTS)
            await eventually(lambda: control.link.is_up)
            operator = a_secured_config(tmp_path, port, certificates, "operator")
            reply = await ask_over_mqtt(operator, verb="halt", scope="account", actor="me", wait_s=5)
            async with watching(port, certificates, "screen", "openbell/#") as (_, heard):
                await eventually(lambda: texts(heard, "openbell/state"))
    assert (reply.accepted, reply.state) == (True, "HALTED")
    assert gate.orders == [("halt", "account", "mqtt:me")]
    assert texts(heard, "openbell/availability") == ["online"]


async def test_who_may_only_watch_cannot_command_and_is_told_nothing(tmp_path, certificates):
    gate = FakeGate()
    async with mosquitto(tmp_path, certificates) as port:
        daemon = a_secured_config(tmp_path, port, certificates)
        async with running(daemon, gate) as control:
            await eventually(lambda: control.link.is_up)
            with pytest.raises(BrokerUnavailable, match="no reply on openbell/reply"):
                await ask_over_mqtt(
                    a_secured_config(tmp_path, port, certificates, "screen"),
                    verb="halt",
                    scope="account",
                    actor="me",
                    wait_s=0.5,
                )
    assert gate.events == []


async def test_a_retained_command_is_refused_by_the_next_daemon(tmp_path, certificates):
    gate = FakeGate()
    async with mosquitto(tmp_path, certificates) as port:
        daemon = a_secured_config(tmp_path, port, certificates)
        async with watching(port, certificates, "operator", "openbell/reply") as (client, heard):
            await client.publish("openbell/command", a_command(now=wall_now()), qos=1, retain=True)
            async with running(daemon, gate):
                await eventually(lambda: heard)
    assert "retained" in heard[0][1]
    assert gate.events == []


async def test_a_wrong_password_is_tried_again_for_ever_and_raises_nothing(tmp_path, certificates):
    async with mosquitto(tmp_path, certificates) as port:
        config = a_secured_config(tmp_path, port, certificates, "stranger")
        async with running(config, FakeGate()) as control:
            await eventually(lambda: control.link.losses >= 2)
            assert control.link.connects == 0
        with pytest.raises(BrokerUnavailable, match=r"mqtt 127\.0\.0\.1"):
            await ask_over_mqtt(config, verb="halt", scope="account", actor="me", wait_s=5)


async def test_a_server_whose_certificate_no_authority_of_ours_signed_is_not_spoken_to(tmp_path, certificates):
    async with mosquitto(tmp_path, certificates) as port:
        config = a_secured_config(tmp_path, port, certificates, ca_file="")
        async with running(config, FakeGate()) as control:
            await eventually(lambda: control.link.losses >= 2)
            assert control.link.connects == 0
