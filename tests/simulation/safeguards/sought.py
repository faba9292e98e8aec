"""The first seed on which the judge sees what a safeguard was there for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from tests.simulation.history import Record, Settings
from tests.simulation.plan import Plan
from tests.simulation.safeguards.safeguard import Safeguard, switched_off


class Breach(Protocol):
    """As the judge tells it."""

    @property
    def invariant(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def text(self) -> str: ...


class Played(Protocol):
    """As the world tells it."""

    @property
    def history(self) -> list[Record]: ...


class Means(Struct, frozen=True, kw_only=True):
    """What a search is made of: `draw` makes the plan of a seed, `play` takes seconds, `judge` reads its history."""

    draw: Callable[[int], Plan]
    play: Callable[[Plan], Played]
    judge: Callable[[Sequence[Record]], Sequence[Breach]]


class Bite(Struct, frozen=True, kw_only=True):
    """What one plan shows without the safeguard and not with it; `invariant` is empty if nothing.

    `after_open_s`: when it was seen, from the open of the last session. `fallen` are all invariants that fell.
    """

    invariant: str = ""
    text: str = ""
    is_reached: bool = False
    after_open_s: float = 0.0
    fallen: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.invariant)


class Found(Struct, frozen=True, kw_only=True):
    """The first seed that shows the harm, and how many were tried up to it."""

    name: str
    seed: int
    tried: int
    bite: Bite
    plan: Plan


def bite_of(safeguard: Safeguard, plan: Plan, means: Means) -> Bite:
    """Play without the safeguard and, if that breaks something, with it: what only the former breaks.

    Of several invariants one that the safeguard is said to keep goes first; what is broken anyway shows nothing.
    """
    with switched_off(safeguard, must_be_reached=False) as reach:
        history = means.play(plan).history
    harmed = means.judge(history)
    if not harmed or not reach.is_reached:
        return Bite(is_reached=reach.is_reached)
    broken_anyway = {breach.invariant for breach in means.judge(means.play(plan).history)}
    news = [breach for breach in harmed if breach.invariant not in broken_anyway]
    news.sort(key=lambda breach: breach.invariant not in safeguard.breaks)
    if not news:
        return Bite(is_reached=True)
    first = news[0]
    seen_s = history[min(first.line, len(history) - 1)].at - _opens_at(history)
    fallen = tuple(dict.fromkeys(breach.invariant for breach in news))
    return Bite(invariant=first.invariant, text=first.text, is_reached=True, after_open_s=seen_s, fallen=fallen)


def _opens_at(history: Sequence[Record]) -> float:
    settings = history[0]
    return settings.sessions[-1][0] if isinstance(settings, Settings) else settings.at


def sought(
    safeguard: Safeguard, seeds: Iterable[int], means: Means, hear: Callable[[int, Bite], None] = lambda *_: None
) -> Found | None:
    """Try seed after seed until one bites; None if none does. `hear` is told of each that was tried."""
    for tried, seed in enumerate(seeds, start=1):
        plan = means.draw(seed)
        bite = bite_of(safeguard, plan, means)
        hear(seed, bite)
        if bite:
            return Found(name=safeguard.name, seed=seed, tried=tried, bite=bite, plan=plan)
    return None
