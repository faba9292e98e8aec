"""Insider transactions out of the documents that `openbell data fetch --source sec --documents form4` keeps.

A Form 4 does not say when it was public, and many are late; the list of filings kept beside it does. A document that no
list names is refused: taken as filed when it was due, it would tell what nobody knew yet.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from research.ingest.point_in_time.form4 import OwnershipFiling, insider_rows, parse_ownership
from research.ingest.point_in_time.insiders import load_insiders
from research.ingest.point_in_time.submissions import load_submissions
from shared.errors import DataError, NotFound

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

_LIST = re.compile(r"CIK\d{10}(-submissions-\d+)?\.json")
_AGAIN = "fetch them together: openbell data fetch --source sec --documents form4"


def insiders_of(path: Path) -> pd.DataFrame:
    """Every transaction once, with `known_by` (UTC): of a table (insiders.py), or of the folder of the SEC's documents.

    Raises:
        NotFound: there is neither. DataError: a file is damaged, or a document is in no list of filings.
    """
    if not path.is_dir():
        return load_insiders(path)
    documents = sorted(path.glob("form4/*/*.xml"))
    if not documents:
        raise NotFound(f"{path}: no Form 4 in this folder; {_AGAIN}")
    public = _public_at(path)
    return insider_rows([_filing(document, public) for document in documents])


def content_hash(path: Path) -> str:
    """SHA-256 of the table, or of the names of the folder's documents, which never change; empty without either."""
    if path.is_dir():
        names = sorted(str(document.relative_to(path)) for document in path.glob("form4/*/*.xml"))
        return sha256("\0".join(names).encode()).hexdigest()
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _public_at(folder: Path) -> dict[str, datetime]:
    """When each filing that a list names was public, by accession number; of two lists the later reading."""
    found: dict[str, datetime] = {}
    for path in sorted((folder / "submissions").glob("*.json")):
        if _LIST.fullmatch(path.name):
            rows = load_submissions(path)
            for accession, known_by in zip(rows["accessionNumber"], rows["known_by"], strict=True):
                found[accession] = max(found.get(accession, known_by), known_by).to_pydatetime()
    return found


def _filing(document: Path, public: dict[str, datetime]) -> OwnershipFiling:
    if document.stem not in public:
        raise DataError(
            f"{document}: in no list of filings beside it, allowed: one that tells when it was public; {_AGAIN}"
        )
    try:
        content = document.read_bytes()
    except OSError as error:
        raise DataError(f"{document}: cannot be read: {error.strerror}, allowed: a Form 4") from None
    return replace(parse_ownership(str(document), content), accepted_at=public[document.stem])
