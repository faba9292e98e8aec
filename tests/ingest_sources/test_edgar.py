"""EDGAR in the shapes it answers in, from a server on this machine."""

import json
from datetime import date

import pytest

from research.ingest.fetching_documents import fetch_documents
from research.ingest.sources.edgar import Edgar
from research.ingest.sources.source import SourceRefuses, SourceUnavailable
from shared.errors import DataError, NotFound
from tests.ingest_sources.builders import Silent, a_client
from tests.ingest_sources.local_server import Answer, as_json

TODAY = date(2026, 11, 20)
TICKERS = as_json({
    "fields": ["cik", "name", "ticker", "exchange"],
    "data": [[320193, "Apple", "AAPL", "Nasdaq"], [1067983, "Berkshire", "BRK-B", "NYSE"], [1, "Nano", "NA", None]],
})  # fmt: skip
FORM_4 = Answer(b"<?xml version='1.0'?><ownershipDocument><documentType>4</documentType></ownershipDocument>")
COLUMNS = {
    "accessionNumber": ["0000320193-26-000002", "0000320193-26-000001", "0000320193-25-000009"],
    "filingDate": ["2026-10-03", "2026-10-01", "2025-01-05"],
    "form": ["10-Q", "4", "4"],
    "primaryDocument": ["aapl.htm", "xslF345X05/wk-form4_1.xml", "xslF345X05/old.xml"],
}
SUBMISSIONS = as_json({
    "cik": "0000320193", "filings": {"recent": COLUMNS, "files": [{"name": "CIK0000320193-submissions-001.json"}]}
})  # fmt: skip
OLDER = as_json({**COLUMNS, "accessionNumber": ["0000320193-24-000003"] * 3, "filingDate": ["2024-01-02"] * 3})


@pytest.fixture
def sec(server):
    server.answers = {
        "/files/company_tickers_exchange.json": [TICKERS],
        "/submissions/CIK0000320193.json": [SUBMISSIONS],
        "/submissions/CIK0000320193-submissions-001.json": [OLDER],
        "/api/xbrl/companyfacts/CIK0000320193.json": [as_json({"cik": 320193, "facts": {"us-gaap": {}}})],
        "/Archives/edgar/data/320193/000032019326000001/wk-form4_1.xml": [FORM_4],
    }
    return server


def an_edgar(server, clock):
    client = a_client(server, clock, name="sec", headers={"User-Agent": "Jane Doe jane@example.org"}, tries=2)
    source = Edgar(client, client, max_age_s=0.0)
    source.tickers(TODAY)
    return source


def test_companies_are_found_by_ticker_and_there_is_one_named_na(sec, clock):
    source = an_edgar(sec, clock)
    assert [source.cik(symbol) for symbol in ("AAPL", "BRK.B", "NA")] == [320193, 1067983, 1]
    with pytest.raises(NotFound, match="sec: XYZ: no such ticker, allowed: one of the 3"):
        source.cik("XYZ")
    assert sec.asked[0].headers["User-Agent"] == "Jane Doe jane@example.org"


def test_submissions_come_with_their_older_pages(sec, clock):
    paths = [document.path for document in an_edgar(sec, clock).submissions("AAPL")]
    assert paths == ["submissions/CIK0000320193.json", "submissions/CIK0000320193-submissions-001.json"]


def test_form_4_is_the_document_and_not_the_page_for_people(sec, clock):
    *lists, document = an_edgar(sec, clock).form_4("AAPL", date(2026, 1, 1))
    assert [each.path for each in lists] == [
        "submissions/CIK0000320193.json", "submissions/CIK0000320193-submissions-001.json"
    ]  # fmt: skip
    assert document.path == "form4/CIK0000320193/0000320193-26-000001.xml"
    assert document.text.startswith("<?xml")


def test_documents_are_kept_as_they_came_and_one_company_stops_no_other(sec, clock, tmp_path):
    asked = (("XYZ", "AAPL"), ("tickers", "submissions", "facts", "form4"))
    days = (date(2026, 1, 1), TODAY)
    missing, stored = fetch_documents(an_edgar(sec, clock), tmp_path, asked, days, Silent())
    assert (missing.state, missing.symbol) == ("failed", "XYZ")
    assert (stored.state, stored.added) == ("stored", 4)
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {
        "company_tickers_exchange_2026-11-20.json",
        "submissions/CIK0000320193.json",
        "submissions/CIK0000320193-submissions-001.json",
        "companyfacts/CIK0000320193.json",
        "form4/CIK0000320193/0000320193-26-000001.xml",
    }
    assert (tmp_path / "companyfacts/CIK0000320193.json").read_bytes() == sec.answers[
        "/api/xbrl/companyfacts/CIK0000320193.json"
    ][0].body
    assert fetch_documents(an_edgar(sec, clock), tmp_path, asked, days, Silent())[1].state == "nothing_new"


def test_who_does_not_say_who_asks_is_refused_and_nobody_else_is_asked_for(sec, clock, tmp_path):
    sec.answers["/submissions/CIK0000320193.json"] = [Answer(b"<html>Undeclared Automated Tool</html>", 403)]
    asked = (("AAPL", "NA"), ("submissions",))
    found = fetch_documents(an_edgar(sec, clock), tmp_path, asked, (TODAY, TODAY), Silent())
    assert [each.state for each in found] == ["failed", "not_asked"]
    assert "403" in found[0].reason


@pytest.mark.parametrize(
    ("answer", "kind", "line"),
    [
        (Answer(b"<html>maintenance</html>"), SourceUnavailable, "a web page instead of data"),
        (Answer(b'{"cik": "0000320193", "fil'), SourceUnavailable, "no JSON, or cut short"),
        (as_json({"error": "x"}), DataError, "allowed: an object with cik, filings"),
        (as_json({"cik": "1", "filings": {"recent": {}, "files": [{"name": "../../x"}]}}), DataError, "page '../../x'"),
        (Answer(b"no", 403), SourceRefuses, "status 403"),
    ],
)
def test_an_answer_that_is_none_is_one_line(sec, clock, answer, kind, line):
    source = an_edgar(sec, clock)
    sec.answers["/submissions/CIK0000320193.json"] = [answer]
    with pytest.raises(kind, match=line):
        list(source.submissions("AAPL"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(b"<ownershipDocument><doc"), SourceUnavailable),
        (Answer(b"<html>"), SourceUnavailable),
        (Answer(b"plain text"), DataError),
    ],
)  # fmt: skip
def test_half_a_form_4_is_none(sec, clock, answer, kind):
    source = an_edgar(sec, clock)
    sec.answers["/Archives/edgar/data/320193/000032019326000001/wk-form4_1.xml"] = [answer]
    with pytest.raises(kind):
        list(source.form_4("AAPL", date(2026, 1, 1)))


def test_a_list_of_tickers_of_another_shape_is_named(sec, clock):
    sec.answers["/files/company_tickers_exchange.json"] = [as_json({"fields": ["cik"], "data": [[1]]})]
    with pytest.raises(DataError, match=r"fields \['cik'\], allowed: cik and ticker"):
        an_edgar(sec, clock)


def test_the_recorded_companyfacts_shape_passes(sec, clock):
    facts = {"cik": 320193, "entityName": "Apple Inc.", "facts": {"us-gaap": {"Assets": {"units": {}}}}}
    sec.answers["/api/xbrl/companyfacts/CIK0000320193.json"] = [as_json(facts)]
    assert json.loads(an_edgar(sec, clock).company_facts("AAPL").text) == facts
