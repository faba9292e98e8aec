"""Which instruments move together, and how much they move with the market, as a person has written it down."""

from __future__ import annotations

from msgspec import Struct, field


class Groups(Struct, frozen=True, kw_only=True):
    """`members`: group name to its symbols; `betas`: symbol to its beta against the market."""

    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    betas: dict[str, float] = field(default_factory=dict)

    def of(self, symbol: str) -> tuple[str, ...]:
        """The groups the symbol is in, in the file's order."""
        return tuple(name for name, symbols in self.members.items() if symbol in symbols)
