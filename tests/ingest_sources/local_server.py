"""A web server on this machine that answers by a script and remembers what it was asked."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct, field


class Answer(Struct, frozen=True):
    """`promised` is the Content-Length if it is not the body's; `drip` sends so many pieces with the event between."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None
    drip: threading.Event | None = None


class Asked(Struct, frozen=True):
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]


class LocalServer:
    """`answers` maps a path to what it answers, one after the other, the last one for ever; or to a function."""

    def __init__(self):
        self.asked = []
        self.answers = {}
        self._lock = threading.Lock()
        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._httpd.server_address[1]}"

    def serve(self):
        self._httpd.serve_forever(poll_interval=0.02)

    def stop(self):
        self._httpd.shutdown()
        self._httpd.server_close()

    def answer_of(self, asked):
        with self._lock:
            self.asked.append(asked)
            answers = self.answers.get(asked.path)
            if answers is None:
                return Answer(b"not found", 404)
            if callable(answers):
                return answers(asked)
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = urlsplit(self.path)
                parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
                answer = server.answer_of(Asked(parts.path, parameters, dict(self.headers)))
                self.send_response(answer.status)
                promised = len(answer.body) if answer.promised is None else answer.promised
                for name, value in {"Content-Length": str(promised), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if answer.drip is None:
                    self.wfile.write(answer.body)
                else:
                    self.wfile.write(answer.body[:1])
                    answer.drip.wait(5)
                self.close_connection = promised != len(answer.body) or answer.drip is not None

            def log_message(self, *_):
                pass

        return Handler


@contextmanager
def a_server():
    server = LocalServer()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def as_json(facts, **how):
    return Answer(json.dumps(facts).encode(), **how)
