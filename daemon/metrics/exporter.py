"""GET /metrics on 127.0.0.1, in threads of its own: a scraper that hangs holds up nobody.

Only requests that name loopback as their host are answered: a page in a browser that has rebound its own name to
127.0.0.1 would otherwise read equity and profit (RELIABILITY.md 7).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import CollectorRegistry, make_wsgi_app

_log = structlog.get_logger("openbell")
ADDRESS = "127.0.0.1"
_HOSTS = frozenset({"127.0.0.1", "localhost"})
_REQUEST_S_MAX = 10.0
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = _REQUEST_S_MAX

    def log_message(self, *_: object) -> None:
        """Scrapes are no news."""


class Exporter:
    """One listening socket and the thread that serves it."""

    def __init__(self, server: WSGIServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    def close(self) -> None:
        """Stop answering; waits for the thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def open_exporter(registry: CollectorRegistry, port: int) -> Exporter | None:
    """Serve the registry; None, with one line in the log, where the port cannot be had: the daemon goes on."""
    try:
        server = make_server(ADDRESS, port, _only_for_loopback(make_wsgi_app(registry)), _Server, _Handler)
    except OSError as error:
        _log.warning("metrics_unavailable", reason=f"metrics.port = {port}: {error.strerror}, choose another")
        return None
    return Exporter(server)


def _only_for_loopback(app: Wsgi) -> Wsgi:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        host = str(environ.get("HTTP_HOST", "")).rsplit(":", 1)[0]
        if host not in _HOSTS:
            return _refuse(start_response, "400 Bad Request", b"this is for loopback only\n")
        if environ.get("PATH_INFO") != "/metrics" or environ.get("REQUEST_METHOD") != "GET":
            return _refuse(start_response, "404 Not Found", b"GET /metrics\n")
        return app(environ, start_response)

    return answer


def _refuse(start_response: Callable[..., Any], status: str, text: bytes) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
    return [text]
