"""Share classes: BRK.B, BRK-B and "BRK B" are one instrument, and every source writes it in its own way."""

from __future__ import annotations

_SEPARATORS = (".", "-", " ", "/")


def written(symbol: str, separator: str) -> str:
    """The ticker as a source writes it; `separator` stands between name and class."""
    for other in _SEPARATORS:
        symbol = symbol.replace(other, separator)
    return symbol
