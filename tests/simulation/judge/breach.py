"""What a breach is, and what every invariant is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from tests.simulation.history import Record

if TYPE_CHECKING:
    from tests.simulation.judge.scene import Scene

SLACK_S = 1.0
"""What every deadline may be late by: a step of the loop, a row that is being handled, a message under way."""
DUST = 1e-6
"""Shares and dollars below this are rounding."""


class Breach(Struct, frozen=True, kw_only=True):
    """`line` is the index of the record at which it was seen, `at` true time of when it happened."""

    invariant: str
    at: float
    line: int
    text: str


class Invariant:
    """One row of RELIABILITY.md 4, or a few that look at the same records. It says a breach of one subject once."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.breaches: list[Breach] = []
        self._said: set[tuple[str, str]] = set()

    def before(self, at: float) -> None:
        """Time has come to `at`, and until then the scene was as it is: what was due by then is late."""

    def take(self, record: Record) -> None:
        """The record has happened; the scene knows it already."""

    def end(self) -> None:
        """The history is over."""

    def breach(self, invariant: str, subject: str, text: str, *, at: float | None = None) -> None:
        """Note it, unless the same has been said of that subject before."""
        if (invariant, subject) not in self._said:
            self._said.add((invariant, subject))
            when = self.scene.at if at is None else at
            self.breaches.append(Breach(invariant=invariant, at=when, line=self.scene.line, text=text))

    def mended(self, invariant: str, subject: str) -> None:
        """It is well again: the next time is a breach of its own."""
        self._said.discard((invariant, subject))
