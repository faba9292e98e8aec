"""Fetching SEC documents into a folder, as they came, each file whole; one company never stops another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path

from research.ingest.fetching import Fetched, Watcher
from research.ingest.sources.edgar import Document, Edgar
from research.ingest.sources.source import SourceRefuses
from shared.errors import DataError, OpenbellError
from shared.io.whole_file import write_whole

KINDS = ("tickers", "submissions", "facts", "form4")


def fetch_documents(
    edgar: Edgar, folder: Path, asked: tuple[Sequence[str], Sequence[str]], days: tuple[date, date], watcher: Watcher
) -> list[Fetched]:
    """`asked` is the symbols and the KINDS; `days` are the first filing day of Form 4, and today.

    Raises:
        OpenbellError: the list of tickers, which all else needs, cannot be had.
    """
    symbols, kinds = asked
    since, today = days
    tickers = edgar.tickers(today)
    if "tickers" in kinds:
        _keep(folder, tickers)
    doors: dict[str, Callable[[str], Iterable[Document]]] = {
        "submissions": edgar.submissions,
        "facts": lambda symbol: [edgar.company_facts(symbol)],
        "form4": lambda symbol: edgar.form_4(symbol, since),
    }
    wanted = [doors[kind] for kind in kinds if kind in doors]
    found: list[Fetched] = []
    refusal = ""
    for symbol in symbols if wanted else ():
        if refusal:
            fetched = Fetched(symbol=symbol, state="not_asked", reason=refusal)
        else:
            fetched, refusal = _company(folder, symbol, wanted, watcher)
        found.append(fetched)
        watcher.done(fetched)
    return found


def _company(
    folder: Path, symbol: str, doors: Sequence[Callable[[str], Iterable[Document]]], watcher: Watcher
) -> tuple[Fetched, str]:
    """What became of it, and why nobody else need be asked (empty if they may)."""
    added = 0
    try:
        for door in doors:
            for document in door(symbol):
                added += _keep(folder, document)
                watcher.chunk(symbol, date.max, 0)
    except OpenbellError as fault:
        refusal = str(fault) if isinstance(fault, SourceRefuses) else ""
        return Fetched(symbol=symbol, state="failed", added=added, reason=str(fault)), refusal
    return Fetched(symbol=symbol, state="stored" if added else "nothing_new", added=added), ""


def _keep(folder: Path, document: Document) -> int:
    """1 if the file is new or has changed. Raises DataError if it cannot be written."""
    path = folder / document.path
    try:
        if path.exists() and path.read_bytes() == document.text.encode():
            return 0
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, document.text)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}, allowed: a writable folder") from None
    return 1
