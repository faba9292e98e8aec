"""What systemd hears, on a real datagram socket."""

import socket

import pytest

from daemon.runtime import systemd


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """systemd's end of the line."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"{tmp_path}/notify")
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"{tmp_path}/notify")
        yield listening


def test_lines_arrive_as_one_datagram(manager):
    assert systemd.notify(systemd.status("ok, ACTIVE"), systemd.ALIVE)
    assert manager.recv(4096) == b"STATUS=ok, ACTIVE\nWATCHDOG=1"


def test_an_abstract_address_is_understood(monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0openbell-test-notify")
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", "@openbell-test-notify")
        assert systemd.notify(systemd.READY)
        assert listening.recv(4096) == b"READY=1"


def test_without_systemd_there_is_nobody_to_tell(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert systemd.notify(systemd.STOPPING)


def test_a_systemd_that_does_not_read_is_not_waited_for(manager):
    told = [systemd.notify(systemd.status("x" * 200)) for _ in range(2000)]
    assert told[0]
    assert not told[-1]


def test_a_systemd_that_is_gone_does_not_end_the_daemon(tmp_path, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", f"{tmp_path}/gone")
    assert not systemd.notify(systemd.ALIVE)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (systemd.extension(30), "EXTEND_TIMEOUT_USEC=30000000"),
        (systemd.extension(0.5), "EXTEND_TIMEOUT_USEC=500000"),
        (systemd.status("first\nWATCHDOG=1"), "STATUS=first"),
        (systemd.status("x" * 500), "STATUS=" + "x" * 200),
        (systemd.STOPPING, "STOPPING=1"),
    ],
)
def test_the_lines_are_those_of_sd_notify(line, text):
    assert line == text
