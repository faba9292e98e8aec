"""GET /metrics as a scraper asks for it."""

import http.client
import socket

import pytest
from prometheus_client import CollectorRegistry, Gauge
from structlog.testing import capture_logs

from daemon.metrics.exporter import open_exporter


@pytest.fixture
def exporter():
    registry = CollectorRegistry()
    Gauge("openbell_tasks", "alive", registry=registry).set(17)
    serving = open_exporter(registry, 0)
    assert serving is not None
    yield serving
    serving.close()


def ask(port, path="/metrics", method="GET", host=None):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    line.request(method, path, headers={"Host": host or f"127.0.0.1:{port}"})
    answer = line.getresponse()
    body = answer.read().decode()
    line.close()
    return answer.status, body


def test_the_figures_are_served(exporter):
    status, body = ask(exporter.port)
    assert (status, "openbell_tasks 17.0" in body) == (200, True)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"host": "evil.example:9464"}, 400),
        ({"host": "127.0.0.1.evil.example"}, 400),
        ({"host": "localhost"}, 200),
        ({"path": "/"}, 404),
        ({"method": "POST"}, 404),
    ],
)
def test_a_page_that_has_rebound_its_name_and_anything_else_is_refused(exporter, asked, status):
    assert ask(exporter.port, **asked)[0] == status


def test_a_scraper_that_hangs_holds_up_no_other(exporter):
    with socket.create_connection(("127.0.0.1", exporter.port)) as hanging:
        hanging.sendall(b"GET /metrics")
        assert ask(exporter.port)[0] == 200


def test_only_loopback_is_listened_on(exporter):
    assert exporter._server.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_a_line_and_no_end(exporter):
    with capture_logs() as lines:
        assert open_exporter(CollectorRegistry(), exporter.port) is None
    assert [line["reason"] for line in lines] == [
        f"metrics.port = {exporter.port}: Address already in use, choose another"
    ]
