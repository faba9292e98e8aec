"""One GET against a server on this machine that misbehaves in every way a source has."""

import threading
from datetime import timedelta
from email.utils import format_datetime

import pytest

from research.ingest.sources.http_client import Question, refuse_page
from research.ingest.sources.source import SourceRefuses, SourceUnavailable
from shared.errors import DataError, NotFound
from tests.ingest_sources.builders import a_client
from tests.ingest_sources.clocks import NOW
from tests.ingest_sources.local_server import Answer

KEY = "very-secret-key-0815"
ASK = Question(path="/data", parameters={"symbol": "NA"}, secret={"apikey": KEY})


def good(_body):
    """Judges nothing."""


def no_pages(body):
    refuse_page("test", body)


def test_a_question_is_asked_with_its_secret_and_answered(server, clock):
    server.answers["/data"] = [Answer(b"fine")]
    assert a_client(server, clock, headers={"User-Agent": "me"}).text(ASK, good) == "fine"
    (asked,) = server.asked
    assert asked.parameters == {"symbol": "NA", "apikey": KEY}
    assert asked.headers["User-Agent"] == "me"


def test_429_waits_as_long_as_the_header_says(server, clock):
    server.answers["/data"] = [Answer(b"slow down", 429, {"Retry-After": "30"}), Answer(b"fine")]
    assert a_client(server, clock).text(ASK, good) == "fine"
    assert 30.0 <= clock.slept[0] <= 31.0


def test_retry_after_may_be_a_date(server, clock):
    until = format_datetime(NOW + timedelta(seconds=90), usegmt=True)
    server.answers["/data"] = [Answer(b"", 503, {"Retry-After": until}), Answer(b"fine")]
    assert a_client(server, clock).text(ASK, good) == "fine"
    assert 89.0 <= clock.slept[0] <= 92.0


@pytest.mark.parametrize(
    "first",
    [
        Answer(b"oops", 500),
        Answer(b"busy", 408),
        Answer(b'{"half": ', promised=100),
        Answer(b"<!DOCTYPE html><title>Maintenance</title>"),
        Answer(b"\xff\xfe\x00"),
    ],
    ids=["server error", "timeout", "truncated", "error page with status 200", "no text"],
)
def test_what_may_pass_is_asked_again(server, clock, first):
    server.answers["/data"] = [first, Answer(b"fine")]
    assert a_client(server, clock).text(ASK, no_pages) == "fine"
    assert len(server.asked) == 2


def test_a_body_that_never_comes_ends_by_its_time(server, clock):
    never = threading.Event()
    server.answers["/data"] = [Answer(b"a long body", drip=never)]
    try:
        with pytest.raises(
            SourceUnavailable, match=r"127\.0\.0\.1/data.symbol=NA: (no answer in time|the connection broke)"
        ):
            a_client(server, clock, timeout_s=0.2, tries=1).text(ASK, good)
    finally:
        never.set()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, SourceRefuses), (403, SourceRefuses), (404, NotFound), (400, DataError), (302, DataError)],
)
def test_a_refusal_is_told_at_once(server, clock, status, kind):
    server.answers["/data"] = [Answer(b'{"message": "forbidden"}', status, {"Location": "/elsewhere"})]
    with pytest.raises(kind, match=f"status {status}: .*forbidden") as fault:
        a_client(server, clock).text(ASK, good)
    assert not isinstance(fault.value, SourceUnavailable)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer", [Answer(b"no", 500), Answer(b"no", 429), Answer(b"x", promised=9), Answer(b"no", 400)], ids=str
)
def test_no_error_holds_the_key(server, clock, answer):
    server.answers["/data"] = [answer]
    with pytest.raises(DataError) as fault:
        a_client(server, clock, tries=1).text(ASK, good)
    assert KEY not in str(fault.value)
    assert "symbol=NA" in str(fault.value)


def test_nobody_there_is_one_line_without_the_key(server, clock):
    server.stop()
    server.url = "http://127.0.0.1:9"
    with pytest.raises(SourceUnavailable, match="no connection") as fault:
        a_client(server, clock, tries=1).text(ASK, good)
    assert KEY not in str(fault.value)


def test_a_cached_answer_is_not_asked_for_again_and_holds_no_key(server, clock, tmp_path):
    server.answers["/data"] = [Answer(b"first"), Answer(b"second")]
    client, ask = a_client(server, clock, cache=tmp_path), Question(**{**_fields(ASK), "max_age_s": 60.0})
    assert [client.text(ask, good) for _ in range(2)] == ["first", "first"]
    clock.pass_by(61)
    assert client.text(ask, good) == "second"
    assert [path for path in tmp_path.rglob("*") if path.is_file() and KEY in path.read_text()] == []


def test_a_cached_answer_serves_only_the_edition_it_was_asked_for(server, clock, tmp_path):
    server.answers["/data"] = [Answer(b"until monday"), Answer(b"until tuesday")]
    client = a_client(server, clock, cache=tmp_path)
    ask = {**_fields(ASK), "max_age_s": 60.0}
    assert client.text(Question(**ask, edition="monday"), good) == "until monday"
    assert client.text(Question(**ask, edition="tuesday"), good) == "until tuesday"


def test_an_answer_that_is_none_is_not_cached(server, clock, tmp_path):
    server.answers["/data"] = [Answer(b"<html>busy</html>"), Answer(b"fine")]
    client = a_client(server, clock, cache=tmp_path, tries=1)
    ask = Question(**{**_fields(ASK), "max_age_s": 60.0})
    with pytest.raises(SourceUnavailable, match="a web page instead of data"):
        client.text(ask, no_pages)
    assert client.text(ask, no_pages) == "fine"


def test_questions_keep_the_pace_of_the_source(server, clock):
    server.answers["/data"] = [Answer(b"fine")]
    client = a_client(server, clock, per_minute=60.0)
    assert [client.text(ASK, good) for _ in range(7)] == ["fine"] * 7
    assert sum(clock.slept) == pytest.approx(2.0)


def _fields(question):
    return {"path": question.path, "parameters": question.parameters, "secret": question.secret}
