"""Forms 3, 4 and 5 as the SEC serves them: the ownership XML, alone or inside a full submission with its header.

The header's ACCEPTANCE-DATETIME is New York time: the moment from which the filing was public. Element names are those
of the SEC's "EDGAR Ownership XML Technical Specification".
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from research.ingest.point_in_time.insiders import each_once
from research.ingest.point_in_time.known_by import form4_due
from research.ingest.point_in_time.xml_tree import Element, parse_xml
from shared.errors import DataError
from shared.io.bar_files import NEW_YORK

if TYPE_CHECKING:
    import pandas as pd

_ACCEPTED = re.compile(rb"<ACCEPTANCE-DATETIME>(\d{14})")
_ACCESSION = re.compile(rb"ACCESSION NUMBER:\s*(\d{10}-\d{2}-\d{6})")
_DOCUMENT = re.compile(rb"<XML>\s*(.*?)\s*</XML>", re.DOTALL)
_FORMS = {"3", "4", "5", "3/A", "4/A", "5/A"}
_TABLES = (
    ("nonDerivativeTable", "nonDerivativeTransaction", False),
    ("derivativeTable", "derivativeTransaction", True),
)
_ROW = (
    *("ticker", "owner", "owner_cik", "position", "transaction_date", "code", "shares", "price", "shares_after"),
    *("is_derivative", "is_planned", "accepted_at"),
)


class Owner(Struct, frozen=True, kw_only=True):
    """A reporting person; `position` is the officer's title, empty for directors and owners of ten per cent."""

    cik: str
    name: str
    position: str
    is_director: bool
    is_officer: bool
    is_ten_percent_owner: bool


class InsiderTransaction(Struct, frozen=True, kw_only=True):
    """One line; `price` in dollars per share, NaN where only a footnote tells. Of a derivative, shares are its own."""

    transaction_date: date
    security: str
    code: str
    shares: float
    price: float
    is_acquired: bool
    shares_after: float
    is_direct: bool
    is_derivative: bool


class OwnershipFiling(Struct, frozen=True, kw_only=True):
    """A filing; `accepted_at` (UTC) is None where the document came without its header."""

    form: str
    period: date
    issuer_cik: str
    issuer_name: str
    ticker: str
    is_planned: bool
    owners: tuple[Owner, ...]
    transactions: tuple[InsiderTransaction, ...]
    accepted_at: datetime | None = None
    accession: str = ""


def parse_ownership(where: str, document: bytes) -> OwnershipFiling:
    """Read ownership XML or a full submission text; DataError with one line that begins with `where`."""
    header, xml = _taken_apart(where, document)
    root = parse_xml(where, xml)
    form = root.word("documentType")
    if root.name != "ownershipDocument" or form not in _FORMS:
        raise DataError(f"{where}: {root.name} of type {form!r}, allowed: an ownershipDocument, {sorted(_FORMS)}")
    return OwnershipFiling(
        form=form,
        period=_day(where, root, "periodOfReport"),
        issuer_cik=_required(where, root, "issuer", "issuerCik").zfill(10),
        issuer_name=root.word("issuer", "issuerName"),
        ticker=root.word("issuer", "issuerTradingSymbol").upper(),
        is_planned=_flag(root, "aff10b5One"),
        owners=tuple(_owner(where, one) for one in root.all("reportingOwner")) or _no_owner(where),
        transactions=tuple(
            _transaction(where, line, is_derivative=is_derivative)
            for table, name, is_derivative in _TABLES
            for line in root.all(table, name)
        ),
        accepted_at=_accepted_at(header),
        accession=match[1].decode() if (match := _ACCESSION.search(header)) else "",
    )


def insider_rows(filings: Sequence[OwnershipFiling]) -> pd.DataFrame:
    """The transactions of filings as rows of insiders.py: joint filers once, derivative lines marked.

    Without a header a filing is taken as public when it was due.
    """
    import pandas as pd

    rows = pd.DataFrame([row for filing in filings for row in _rows(filing)], columns=[*_ROW])
    days = pd.to_datetime(rows["transaction_date"]).astype("datetime64[ns]")
    known = pd.to_datetime(rows["accepted_at"], utc=True).dt.as_unit("ns").fillna(form4_due(days))
    return each_once(rows.drop(columns="accepted_at").assign(transaction_date=days, known_by=known))


def _rows(filing: OwnershipFiling) -> list[tuple[object, ...]]:
    return [
        (
            *(filing.ticker, owner.name, owner.cik, owner.position),
            *(line.transaction_date, line.code, line.shares, line.price, line.shares_after),
            *(line.is_derivative, filing.is_planned, filing.accepted_at),
        )
        for owner in filing.owners
        for line in filing.transactions
    ]


def _taken_apart(where: str, document: bytes) -> tuple[bytes, bytes]:
    """The header of a full submission (empty of a bare document) and the ownership XML."""
    if not document.lstrip().startswith(b"<SEC-DOCUMENT>"):
        return b"", document
    found = _DOCUMENT.search(document)
    if found is None:
        raise DataError(f"{where}: a submission without <XML> ... </XML>, allowed: a whole one")
    return document[: found.start()], found[1]


def _accepted_at(header: bytes) -> datetime | None:
    match = _ACCEPTED.search(header)
    if match is None:
        return None
    wall = datetime.strptime(match[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK, fold=1)
    return wall.astimezone(UTC)


def _owner(where: str, one: Element) -> Owner:
    kind = "reportingOwnerRelationship"
    is_officer = _flag(one, kind, "isOfficer")
    return Owner(
        cik=_required(where, one, "reportingOwnerId", "rptOwnerCik").zfill(10),
        name=one.word("reportingOwnerId", "rptOwnerName"),
        position=one.word(kind, "officerTitle") or ("Officer" if is_officer else ""),
        is_director=_flag(one, kind, "isDirector"),
        is_officer=is_officer,
        is_ten_percent_owner=_flag(one, kind, "isTenPercentOwner"),
    )


def _no_owner(where: str) -> tuple[Owner, ...]:
    raise DataError(f"{where}: no reportingOwner, allowed: at least one")


def _transaction(where: str, line: Element, *, is_derivative: bool) -> InsiderTransaction:
    amounts = "transactionAmounts"
    return InsiderTransaction(
        transaction_date=_day(where, line, "transactionDate"),
        security=line.word("securityTitle"),
        code=_required(where, line, "transactionCoding", "transactionCode"),
        shares=_number(where, line, amounts, "transactionShares"),
        price=_number(where, line, amounts, "transactionPricePerShare"),
        is_acquired=line.word(amounts, "transactionAcquiredDisposedCode") == "A",
        shares_after=_number(where, line, "postTransactionAmounts", "sharesOwnedFollowingTransaction"),
        is_direct=line.word("ownershipNature", "directOrIndirectOwnership") != "I",
        is_derivative=is_derivative,
    )


def _required(where: str, element: Element, *path: str) -> str:
    word = element.word(*path)
    if not word:
        raise DataError(f"{where}: no {'/'.join(path)}, allowed: a value")
    return word


def _day(where: str, element: Element, *path: str) -> date:
    word = _required(where, element, *path)
    try:
        return date.fromisoformat(word[:10])  # some carry an offset behind the day: 2022-12-13-05:00
    except ValueError:
        raise DataError(f"{where}: {'/'.join(path)} {word!r}, allowed: a day such as 2022-12-13") from None


def _number(where: str, element: Element, *path: str) -> float:
    """NaN where the filing gives none; DataError for what is no finite number."""
    word = element.word(*path)
    try:
        value = float(word or "nan")
    except ValueError:
        value = math.inf
    if math.isinf(value):
        raise DataError(f"{where}: {'/'.join(path)} {word!r}, allowed: a finite number")
    return value


def _flag(element: Element, *path: str) -> bool:
    return element.word(*path).lower() in {"1", "true"}
