"""Receivers on loopback, and what is sent to them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from daemon.alerts.catalogue import Severity
from daemon.alerts.channels import Channel
from daemon.alerts.message import Alarm, Message, compose
from daemon.alerts.posting import DeliveryFailed
from shared.config_outside import AlertsConfig

AT = "2026-11-20T15:04:05.123456+00:00"


def an_alarm(severity=Severity.PAGE, code="unprotectable", text="SPY has no stop"):
    return Alarm(severity=severity, code=code, text=text)


def a_message(severity=Severity.PAGE, **changes):
    return compose(an_alarm(severity, **changes), sender="openbell paper", number=1, at=AT)


def a_section(**changes):
    return AlertsConfig(
        **{"repeat_after_s": 3600.0, "per_hour_max": 20, "digest": True, "check_every_s": 0.0, **changes}
    )


def said(alarm):
    """The alarm, which there must be."""
    assert alarm is not None
    return alarm


class Receiver:
    """An HTTP server that answers with `status` and keeps what it was sent."""

    def __init__(self):
        self.status = 200
        self.location = ""
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - http.server's name

            def log_message(self, *_):
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def json(self, index=-1):
        return json.loads(self.requests[index][2])

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Pigeon:
    """A channel that keeps what it carries, or refuses as long as `fault` says why."""

    def __init__(self, name="pigeon", level=Severity.DIGEST):
        self.fault = ""
        self.refuses: tuple[str, ...] = ()
        self.waits_for: threading.Event | None = None
        self.carried: list[Message] = []
        self.tried: list[str] = []
        self.channel = Channel(name=name, kind="webhook", level=level, send=self._send)

    @property
    def codes(self):
        return [message.code for message in self.carried]

    def _send(self, message):
        self.tried.append(message.code)
        if self.waits_for is not None:
            self.waits_for.wait(5)
        if self.fault or message.code in self.refuses:
            raise DeliveryFailed(self.fault or "HTTP 400")
        self.carried.append(message)
