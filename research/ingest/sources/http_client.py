"""GET, politely: at the source's pace, from its cache, within a time and a size, with errors that hold no secrets.

urllib3 because it is one wheel without dependencies, pools connections over threads and notices a body that is shorter
than announced; httpx brings five packages for an async side that nobody here needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from msgspec import Struct, field

from research.ingest.sources.clock import PaceClock
from research.ingest.sources.response_cache import ResponseCache
from research.ingest.sources.retrying import Retrying
from research.ingest.sources.source import SourceRefuses, SourceUnavailable, Throttled
from research.ingest.sources.token_bucket import TokenBucket
from shared.errors import DataError, NotFound

BYTES_MAX = 256 * 2**20
PIECE = 2**16
SHOWN_MAX = 120
NOT_FOUND, TOO_MANY, SERVER_FAULT = 404, 429, 500
PASSING = frozenset({408, 425})
KEY_REFUSED = frozenset({401, 402, 403})
OK = 200


class Question(Struct, frozen=True, kw_only=True):
    """What to GET. `secret` parameters go with the request and nowhere else: not into errors, logs or the cache."""

    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict)
    max_age_s: float = 0.0
    """An answer so old may come from the cache; 0: never."""
    edition: str = ""
    """What the cache tells answers apart by beside the question, such as the last day that must be in it."""

    @property
    def shown(self) -> str:
        """The question as it may be shown."""
        return f"{self.path}?{urlencode(self.parameters)}" if self.parameters else self.path


class HttpClient:
    """One source's door. `headers` may hold secrets; redirects are not followed, because they would carry them away."""

    def __init__(  # noqa: PLR0913 - one name per part
        self,
        *,
        name: str,
        base_url: str,
        bucket: TokenBucket,
        retrying: Retrying,
        clock: PaceClock,
        cache: ResponseCache | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 60.0,
        connections: int = 8,
    ) -> None:
        import urllib3

        self._name = name
        self._base_url = base_url.rstrip("/")
        self._bucket = bucket
        self._retrying = retrying
        self._clock = clock
        self._cache = cache
        self._timeout_s = timeout_s
        self._pool: Any = urllib3.PoolManager(maxsize=connections, headers=dict(headers or {}), retries=False)

    def text(self, question: Question, judge: Callable[[str], None]) -> str:
        """The body of the answer. `judge` raises for a body that is none though its status is 200.

        Raises:
            SourceUnavailable: no complete answer after all attempts.
            SourceRefuses: the key or the plan is not good for this.
            NotFound: status 404.
            DataError: any other refusal, or what `judge` raises.
        """
        if self._cache is None or question.max_age_s <= 0:
            return self._retrying.run(lambda: self._once(question, judge), self._bucket.pause)
        key = " ".join((self._base_url + question.shown, question.edition))
        kept = self._cache.get(key, question.max_age_s)
        if kept is not None:
            return kept
        body = self._retrying.run(lambda: self._once(question, judge), self._bucket.pause)
        self._cache.put(key, body)
        return body

    def close(self) -> None:
        self._pool.clear()

    def _once(self, question: Question, judge: Callable[[str], None]) -> str:
        import urllib3

        self._bucket.turn()
        fields = {**question.parameters, **question.secret}
        url = f"{self._base_url}{question.path}" + (f"?{urlencode(fields)}" if fields else "")
        try:
            answer = self._pool.request(
                "GET",
                url,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=min(10.0, self._timeout_s), read=self._timeout_s),
            )
            try:
                body = self._body(answer)
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            # Its text may hold the URL, and with it the key.
            raise SourceUnavailable(f"{self._where(question)}: {_kind_of(error)}") from None
        self._judge_status(question, answer.status, answer.headers, body)
        judge(body)
        return body

    def _body(self, answer: Any) -> str:  # noqa: ANN401 - urllib3's response
        """The whole body, within the time limit counted over all of it: a drip never ends a read timeout."""
        ends_at_s, pieces, size = self._clock.now_s() + self._timeout_s, [], 0
        for piece in answer.stream(PIECE, decode_content=True):
            size += len(piece)
            pieces.append(piece)
            if size > BYTES_MAX:
                raise DataError(f"{self._name}: answer larger than {BYTES_MAX} bytes, allowed: less")
            if self._clock.now_s() > ends_at_s:
                raise SourceUnavailable(f"{self._name}: no complete answer within {self._timeout_s:g} s")
        try:
            return b"".join(pieces).decode()
        except UnicodeDecodeError as error:
            raise SourceUnavailable(f"{self._name}: answer is no UTF-8 text (byte {error.start})") from None

    def _judge_status(self, question: Question, status: int, headers: Mapping[str, str], body: str) -> None:
        if status == OK:
            return
        line = f"{self._where(question)}: status {status}: {shown(body)}"
        if status == TOO_MANY:
            raise Throttled(line, _retry_after_s(headers.get("Retry-After"), self._clock.now_s()))
        if status >= SERVER_FAULT or status in PASSING:
            told_s = _retry_after_s(headers.get("Retry-After"), self._clock.now_s())
            raise SourceUnavailable(line) if told_s is None else Throttled(line, told_s)
        if status in KEY_REFUSED:
            raise SourceRefuses(line)
        if status == NOT_FOUND:
            raise NotFound(line)
        raise DataError(line)

    def _where(self, question: Question) -> str:
        return f"{self._name}: {urlsplit(self._base_url).hostname}{question.shown}"


def shown(body: str) -> str:
    """The beginning of a body on one line, printable."""
    line = " ".join(body[: 4 * SHOWN_MAX].split())
    text = "".join(letter for letter in line if letter.isprintable())
    return f"{text[:SHOWN_MAX]}..." if len(text) > SHOWN_MAX else text or "(empty)"


def refuse_page(name: str, body: str) -> None:
    """Raise SourceUnavailable if the body is a web page: a proxy or a maintenance page, with status 200."""
    if body.lstrip()[:15].lower().startswith(("<!doctype html", "<html")):
        raise SourceUnavailable(f"{name}: a web page instead of data: {shown(body)}")


def _retry_after_s(text: str | None, now_s: float) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3); None if it says nothing."""
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.fromtimestamp(now_s, UTC)).total_seconds())


def _kind_of(error: Exception) -> str:
    """What went wrong in the field's words, from the class alone."""
    words = {
        "IncompleteRead": "the answer is cut short",
        "InvalidChunkLength": "the answer is cut short",
        "ProtocolError": "the connection broke, or the answer is cut short",
        "ReadTimeoutError": "no answer in time",
        "ConnectTimeoutError": "no connection in time",
        "NewConnectionError": "no connection",
        "NameResolutionError": "the host's name is unknown",
        "SSLError": "the certificate is not accepted",
        "DecodeError": "the answer is damaged",
    }
    return words.get(type(error).__name__, type(error).__name__)
