"""The decoders and encoders of real client libraries, at both versions."""

from datetime import UTC
from importlib import import_module

import pytest

from brokers.simulated.gateway.protocol.reading import decode
from brokers.simulated.gateway.protocol.wire import fields_of


class Told:
    """Stands where the library's wrapper stands and writes down what the decoder calls."""

    def __init__(self):
        self.calls = []
        self.ib = type("Ib", (), {"TimezoneTWS": ""})()
        self.defaultTimezone = UTC

    def __getattr__(self, name):
        return lambda *args: self.calls.append((name, args))


@pytest.fixture(params=["ib_insync", "ib_async"])
def library(request):
    return import_module(request.param)


@pytest.fixture(params=[157, 176])
def version(request):
    return request.param


@pytest.fixture
def decoded(library, version):
    """What the library makes of the fields of a message: each callback's name and its arguments."""

    def through(fields):
        wrapper = Told()
        import_module(f"{library.__name__}.decoder").Decoder(wrapper, version).interpret(fields)
        return wrapper.calls

    return through


@pytest.fixture
def heard_all(decoded, version):
    """The same for one of our messages."""
    return lambda told: decoded(fields_of(told.encode(version)[4:]))


@pytest.fixture
def heard(heard_all):
    """What a client makes of one of our messages that leads to a single callback: its name and its arguments."""

    def through(told):
        (call,) = heard_all(told)
        return call

    return through


@pytest.fixture
def asked(library, version):
    """The request that a client of the library writes when `call` uses it."""

    def written(call):
        client = library.client.Client(None)
        client.connState, client._serverVersion = client.CONNECTED, version
        sent: list[str] = []
        client.sendMsg = sent.append
        call(client)
        (text,) = sent
        return decode(fields_of(text.encode()), version)

    return written


@pytest.fixture
def spy(library):
    return library.Stock("SPY", "SMART", "USD")
