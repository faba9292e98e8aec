"""A safeguard of the product, and how it is switched off: by putting something else in its place for a while.

The product has no switch (STYLE.md 10). What is put aside must exist, and what takes its place must be something else
and must be reached, so that the table cannot outlive the code it speaks of.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from msgspec import Struct, field

Instead = Callable[[Any], Any]
"""What stands there now to what shall stand there."""


class SafeguardError(Exception):
    """A row of the table no longer fits the product: it names the safeguard, the place and what is wrong."""


class Part(Struct, frozen=True):
    """One name that is replaced: `place` is "module:name" or "module:Class.name", `instead` makes the other thing."""

    place: str
    instead: Instead


class Safeguard(Struct, frozen=True, kw_only=True):
    """One protection of the product, as a row of the table.

    `guards` says in one line what it is there for; `breaks` are invariants of RELIABILITY.md 4, at least one of which
    must fall without it; `parts` are everything that has to be put aside together, for the product guards in depth.
    """

    name: str
    guards: str
    breaks: tuple[str, ...]
    parts: tuple[Part, ...]


class Reach(Struct):
    """How often what took a safeguard's place was called, by place; what cannot be called counts as reached."""

    calls: dict[str, int] = field(default_factory=dict)

    @property
    def is_reached(self) -> bool:
        return any(self.calls.values())


@contextmanager
def switched_off(safeguard: Safeguard, *, must_be_reached: bool = True) -> Iterator[Reach]:
    """Without the safeguard for the time of the block; afterwards the product is as it was.

    Raises:
        SafeguardError: a place does not exist, its replacement is the same thing, or (with `must_be_reached`) nothing
            in the block ever came to where the safeguard is: then the block has shown nothing.
    """
    reach = Reach()
    replaced: list[tuple[Any, str, Any]] = []
    try:
        for part in safeguard.parts:
            owner, name, before = _found(safeguard, part)
            after = _counted(_other(safeguard, part, before), part.place, reach)
            replaced.append((owner, name, before))
            setattr(owner, name, after)
        yield reach
    finally:
        for owner, name, before in reversed(replaced):
            setattr(owner, name, before)
    if must_be_reached and not reach.is_reached:
        raise SafeguardError(f"{safeguard.name}: switched off, but nothing came to {', '.join(reach.calls)}")


def _found(safeguard: Safeguard, part: Part) -> tuple[Any, str, Any]:
    """The module or class that has the name, the name, and what it has there (unbound, as it was written)."""
    module_name, _, path = part.place.partition(":")
    *outer, name = path.split(".")
    try:
        owner: Any = import_module(module_name)
        for step in outer:
            owner = getattr(owner, step)
        return owner, name, vars(owner)[name]
    except (ImportError, AttributeError, KeyError) as error:
        message = f"{safeguard.name}: {part.place} does not exist any more ({type(error).__name__}: {error})"
        raise SafeguardError(message) from None


def _other(safeguard: Safeguard, part: Part, before: Any) -> Any:
    after = part.instead(before)
    if after is before or (not callable(after) and type(after) is type(before) and after == before):
        raise SafeguardError(f"{safeguard.name}: {part.place} is already {after!r}, switching it off changes nothing")
    return after


def _counted(after: Any, place: str, reach: Reach) -> Any:
    reach.calls[place] = 0
    if isinstance(after, property) and after.fget is not None:
        return property(_counting(after.fget, place, reach))
    if inspect.isfunction(after):
        return _counting(after, place, reach)
    if isinstance(after, dict):
        for muted in [value for value in after.values() if isinstance(value, Muted)]:
            muted.on_refusal = functools.partial(_note, reach, place)
        return after
    reach.calls[place] = 1
    return after


def _note(reach: Reach, place: str) -> None:
    reach.calls[place] += 1


def _counting(function: Callable[..., Any], place: str, reach: Reach) -> Callable[..., Any]:
    @functools.wraps(function)
    def counted(*args: Any, **kwargs: Any) -> Any:
        _note(reach, place)
        return function(*args, **kwargs)

    return counted


# --- what may take a place ------------------------------------------------------------------------------------------


def returning(value: Any) -> Instead:
    """A function that does nothing and returns `value`; a list or dict is made anew for each call."""
    kind = type(value)
    is_mutable = isinstance(value, list | dict)
    return lambda _: lambda *_args, **_kwargs: kind(value) if is_mutable else value


def always(*, value: object) -> Instead:
    """A property that is always `value`."""
    return lambda _: property(lambda _self: value)


def equal_to(value: object) -> Instead:
    """A plain value."""
    return lambda _: value


class Muted:
    """A rule of the gate that says nothing any more; `on_refusal` hears of each time it would have."""

    def __init__(self, rule: Callable[..., Any]) -> None:
        self._rule = rule
        self.on_refusal: Callable[[], None] = lambda: None

    def __call__(self, *facts: Any) -> None:
        if self._rule(*facts) is not None:
            self.on_refusal()


def without_rules(*names: str) -> Instead:
    """The gate's table of rules with these muted. Raises SafeguardError for a name that is none."""

    def instead(rules: Mapping[str, Any]) -> dict[str, Any]:
        missing = [name for name in names if name not in rules]
        if missing:
            raise SafeguardError(f"no rule of the gate is called {', '.join(missing)}, it has {', '.join(rules)}")
        return {name: Muted(rule) if name in names else rule for name, rule in rules.items()}

    return instead


def gate_without(*names: str) -> Part:
    """The gate judges without these rules; reached is what they would have refused."""
    return Part("risk.gate:RULES", without_rules(*names))


def by_name(safeguards: Sequence[Safeguard]) -> dict[str, Safeguard]:
    """The rows by name. Raises ValueError for a name that stands twice."""
    found = {safeguard.name: safeguard for safeguard in safeguards}
    if len(found) != len(safeguards):
        names = [safeguard.name for safeguard in safeguards]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"safeguards: named twice: {', '.join(twice)}")
    return found
