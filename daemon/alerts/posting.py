"""One HTTP POST, and an error text that names host and answer but never the URL: webhook URLs are secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

TIMEOUT_S = 8.0


class DeliveryFailed(Exception):  # noqa: N818 - it says what is the case
    """A message did not get out; the text may be logged."""


class _NoRedirect(HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without its body, and count as delivered."""

    def redirect_request(self, *_: object) -> None:
        return None


_opener = build_opener(_NoRedirect)


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> None:
    """Send; return once the other side has said 2xx. Blocks: call it in a thread.

    Raises:
        DeliveryFailed: whatever went wrong.
    """
    host = _host(url)
    try:
        request = Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310 - https by config rule
        with _opener.open(request, timeout=timeout_s):
            return
    except HTTPError as error:
        error.close()
        raise DeliveryFailed(f"{host}: HTTP {error.code}") from None
    except URLError as error:
        raise DeliveryFailed(f"{host}: {_reason(error.reason)}") from None
    except (OSError, HTTPException, ValueError) as error:
        # Their texts may hold the URL.
        raise DeliveryFailed(f"{host}: {_reason(error)}") from None


def post_json(url: str, facts: Mapping[str, object], headers: Mapping[str, str] | None = None) -> None:
    """The same for JSON."""
    body = json.dumps(facts, ensure_ascii=False).encode()
    post(url, body, {"Content-Type": "application/json", "User-Agent": "openbell", **(headers or {})})


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "no host"
    except ValueError:
        return "no valid URL"


def _reason(reason: object) -> str:
    """The system's own words for an error of the network, else only its kind."""
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return type(reason).__name__ if isinstance(reason, BaseException) else "not reachable"
