import pytest

from tests.alerts.builders import Receiver


@pytest.fixture
def receiver(monkeypatch):
    """A web service on loopback, reached without whatever proxy this machine may use."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Receiver()
    yield server
    server.close()
