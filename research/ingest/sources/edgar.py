"""SEC EDGAR: the documents themselves, kept as they came; what they say is read elsewhere.

Asked for: the tickers with their exchange, and per company the submissions with all their older pages, the company
facts, and each Form 4 in XML. The SEC allows ten requests a second and wants to know who asks (sec.gov, "Accessing
EDGAR Data"); who does not say gets status 403.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from msgspec import Struct

from research.ingest.sources.http_client import HttpClient, Question, refuse_page, shown
from research.ingest.sources.source import SourceUnavailable
from research.ingest.sources.tickers import written
from shared.errors import DataError, NotFound

NAME = "sec"
TICKERS = "/files/company_tickers_exchange.json"
FOREVER_S = 100 * 365 * 86_400.0
"""A filing does not change once it is accepted."""
FORM_4 = ("4", "4/A")
CIK_DIGITS = 10


class Document(Struct, frozen=True):
    """`path` is where it belongs in the folder of SEC documents."""

    path: str
    text: str


class Edgar:
    """`site` is www.sec.gov and `data` is data.sec.gov; both share one token bucket."""

    def __init__(self, site: HttpClient, data: HttpClient, max_age_s: float) -> None:
        self._site = site
        self._data = data
        self._max_age_s = max_age_s
        self._ciks: dict[str, int] = {}

    def tickers(self, today: date) -> Document:
        """Every ticker with CIK, name and exchange, as of today."""
        text = self._site.text(Question(path=TICKERS, max_age_s=self._max_age_s), _judged("fields", "data"))
        facts = json.loads(text)
        try:
            ticker, cik = facts["fields"].index("ticker"), facts["fields"].index("cik")
            self._ciks = {str(row[ticker]): int(row[cik]) for row in facts["data"]}
        except (ValueError, TypeError, IndexError, AttributeError):
            raise DataError(f"{NAME}: {TICKERS}: fields {facts['fields']}, allowed: cik and ticker") from None
        return Document(f"company_tickers_exchange_{today.isoformat()}.json", text)

    def cik(self, symbol: str) -> int:
        """The company's number; `tickers` first. Raises NotFound."""
        number = self._ciks.get(written(symbol, "-"))
        if number is None:
            raise NotFound(f"{NAME}: {symbol}: no such ticker, allowed: one of the {len(self._ciks)} the SEC lists")
        return number

    def submissions(self, symbol: str) -> Iterator[Document]:
        """The list of filings, newest first, and its older pages."""
        name = f"CIK{self.cik(symbol):0{CIK_DIGITS}d}.json"
        text = self._of_data(f"/submissions/{name}", _judged("cik", "filings"))
        yield Document(f"submissions/{name}", text)
        for page in json.loads(text)["filings"].get("files") or []:
            older = str(page.get("name"))
            if "/" in older or not older.startswith("CIK"):
                raise DataError(f"{NAME}: {symbol}: page {older!r}, allowed: a file name such as CIK...-001.json")
            yield Document(f"submissions/{older}", self._of_data(f"/submissions/{older}", _judged("form")))

    def company_facts(self, symbol: str) -> Document:
        """All XBRL facts. Raises NotFound for a company without."""
        name = f"CIK{self.cik(symbol):0{CIK_DIGITS}d}.json"
        return Document(f"companyfacts/{name}", self._of_data(f"/api/xbrl/companyfacts/{name}", _judged("facts")))

    def form_4(self, symbol: str, since: date) -> Iterator[Document]:
        """The lists of filings, which tell when each was public, and the XML of every Form 4 filed since that day."""
        cik = self.cik(symbol)
        pages = list(self.submissions(symbol))
        yield from pages
        filings = sorted({filing for page in pages for filing in _form_4_of(page, since)})
        for _, accession, document in filings:
            plain = accession.replace("-", "")
            text = self._site.text(
                Question(path=f"/Archives/edgar/data/{cik}/{plain}/{document}", max_age_s=FOREVER_S), _judge_form_4
            )
            yield Document(f"form4/CIK{cik:0{CIK_DIGITS}d}/{accession}.xml", text)

    def close(self) -> None:
        self._site.close()
        self._data.close()

    def _of_data(self, path: str, judge: Callable[[str], None]) -> str:
        return self._data.text(Question(path=path, max_age_s=self._max_age_s), judge)


def _form_4_of(page: Document, since: date) -> list[tuple[str, str, str]]:
    """Filing day, accession number and document of each Form 4 on a page of filings."""
    facts = json.loads(page.text)
    columns = facts["filings"]["recent"] if "filings" in facts else facts
    try:
        rows = zip(
            columns["form"], columns["filingDate"], columns["accessionNumber"], columns["primaryDocument"], strict=True
        )
        # The list names the page for people (xslF345X05/doc.xml); the document itself lies beside it.
        return [
            (filed, accession, document.rpartition("/")[2])
            for form, filed, accession, document in rows
            if form in FORM_4 and filed >= since.isoformat() and document.lower().endswith(".xml")
        ]
    except (KeyError, ValueError, TypeError, AttributeError):
        raise DataError(f"{NAME}: {page.path}: columns {', '.join(columns)}, allowed: form, filingDate, ...") from None


def _judged(*keys: str) -> Callable[[str], None]:
    """Raise unless the body is an object with these keys."""

    def judge(body: str) -> None:
        refuse_page(NAME, body)
        try:
            facts: Any = json.loads(body)
        except ValueError:
            raise SourceUnavailable(f"{NAME}: no JSON, or cut short: {shown(body)}") from None
        if not isinstance(facts, dict) or any(key not in facts for key in keys):
            raise DataError(f"{NAME}: {shown(body)}, allowed: an object with {', '.join(keys)}")

    return judge


def _judge_form_4(body: str) -> None:
    refuse_page(NAME, body)
    if "<ownershipDocument" not in body:
        raise DataError(f"{NAME}: {shown(body)}, allowed: an ownershipDocument")
    if "</ownershipDocument>" not in body:
        raise SourceUnavailable(f"{NAME}: a Form 4 cut short: {shown(body)}")
