"""The SEC's documents as a fetch keeps them: a filing is known when its list says, not when it was due."""

import json

import pandas as pd
import pytest

from research.ingest.point_in_time.filed_insiders import content_hash, insiders_of
from shared.errors import DataError, NotFound
from tests.point_in_time.builders import DATA, needs_data
from tests.point_in_time.test_form4 import a_document

ACCESSION = "0000000007-24-000001"
OLDER = "0000000007-24-000002"


def a_list(accession, accepted, **more):
    """A page of filings in the SEC's shape."""
    return {
        "accessionNumber": [accession], "filingDate": [accepted[:10]], "reportDate": ["2024-03-04"],
        "acceptanceDateTime": [accepted], "form": ["4"], "items": [""], **more,
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Two filings of one company; the second one stands on an older page."""
    documents, lists = tmp_path / "form4" / "CIK0000000007", tmp_path / "submissions"
    documents.mkdir(parents=True)
    lists.mkdir()
    (documents / f"{ACCESSION}.xml").write_text(a_document())
    newest = a_list(ACCESSION, "2024-05-20T18:30:00.000Z")
    (lists / "CIK0000000007.json").write_text(
        json.dumps({"cik": "7", "tickers": ["NA"], "filings": {"recent": newest}})
    )
    older = a_list(OLDER, "2024-03-05T16:30:00.000Z")
    (lists / "CIK0000000007-submissions-001.json").write_text(json.dumps(older))
    return tmp_path


def test_a_late_filing_is_known_when_it_was_accepted(folder):
    (row,) = insiders_of(folder).to_dict("records")
    assert (row["ticker"], row["owner"], row["shares"], row["is_derivative"]) == ("NA", "Ann", 100_000.0, False)
    # Two months after the trade, and read as New York time: the later reading.
    assert row["known_by"] == pd.Timestamp("2024-05-20 22:30:00", tz="UTC")


def test_an_older_page_tells_of_its_filings_too(folder):
    (folder / "form4" / "CIK0000000007" / f"{OLDER}.xml").write_text(a_document().replace(">9<", ">8<"))
    assert sorted(insiders_of(folder)["known_by"].astype(str)) == [
        "2024-03-05 21:30:00+00:00", "2024-05-20 22:30:00+00:00"
    ]  # fmt: skip


def test_a_document_that_no_list_names_is_refused(folder):
    (folder / "form4" / "CIK0000000007" / "0000000007-24-000009.xml").write_text(a_document())
    with pytest.raises(DataError, match=r"0000000007-24-000009\.xml: in no list of filings beside it, allowed"):
        insiders_of(folder)


def test_half_a_document_is_named(folder):
    document = folder / "form4" / "CIK0000000007" / f"{ACCESSION}.xml"
    document.write_text(a_document()[:300])
    with pytest.raises(DataError, match=f"{ACCESSION}.xml"):
        insiders_of(folder)


def test_a_folder_without_documents_says_what_fills_it(tmp_path):
    with pytest.raises(NotFound, match="no Form 4 in this folder; fetch them together: openbell data fetch"):
        insiders_of(tmp_path)


def test_another_document_is_another_content(folder):
    before = content_hash(folder)
    (folder / "form4" / "CIK0000000007" / f"{OLDER}.xml").write_text(a_document())
    assert before != content_hash(folder)
    assert content_hash(folder / "nothing.parquet") == ""


@needs_data
def test_a_table_is_read_as_before():
    rows = insiders_of(DATA / "insider" / "form4_transactions.parquet")
    assert len(rows) > 50_000
    assert content_hash(DATA / "insider" / "form4_transactions.parquet") != ""
