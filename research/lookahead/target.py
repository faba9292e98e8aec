"""What is to be examined, by name: enough to make it again in another process."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from research.lookahead.subject import FeatureSubject, StrategySubject, Subject
from shared.config import Config
from shared.errors import ConfigError, NotFound
from shared.market import Instrument, Universe
from strategies.registry import BUILT_IN, load_strategy


class Target(Struct, frozen=True, kw_only=True):
    """A strategy of `kind` (a built-in name or a .py file) with `params`; or the feature `function` of a .py file.

    Paths are relative to `base_dir`; `symbols` empty means all.
    """

    name: str
    kind: str
    params: dict[str, Any] = {}
    function: str = ""
    symbols: tuple[str, ...] = ()
    base_dir: str = ""

    @property
    def periods(self) -> list[int]:
        """The whole numbers among the parameters: what the strategy may count rows by."""
        return [value for value in self.params.values() if type(value) is int]

    def subject(self, symbols: tuple[str, ...]) -> Subject:
        """The thing itself over `symbols`; ConfigError if it does not load."""
        base_dir = Path(self.base_dir)
        if self.function:
            path = (base_dir / self.kind).absolute()
            return FeatureSubject(self.name, _function(path, self.function), path)
        universe = Universe(tuple(Instrument(symbol=symbol) for symbol in symbols))
        return StrategySubject(self.name, partial(load_strategy, self.kind, universe, dict(self.params), base_dir))


def targets(config: Config, chosen: str | None, params: Mapping[str, Any]) -> list[Target]:
    """What `chosen` means: a [[strategy]] by name, a kind, a FILE.py, a FILE.py:FUNCTION; None: every [[strategy]].

    `params` replace those of the configuration one by one. NotFound for a name that nothing has.
    """
    base_dir = str(config.base_dir)
    configured = [
        Target(
            name=one.name,
            kind=one.kind,
            params={**one.params, **params},
            symbols=config.symbols_of(one),
            base_dir=base_dir,
        )
        for one in config.strategies
    ]
    if chosen is None:
        return configured
    file, _, function = chosen.rpartition(".py:")
    if file:
        return [Target(name=chosen, kind=f"{file}.py", function=function, base_dir="")]
    if named := [one for one in configured if chosen == one.name]:
        return named
    if same := [one for one in configured if chosen == one.kind]:
        return same
    if chosen in BUILT_IN or chosen.endswith(".py"):
        return [Target(name=chosen, kind=chosen, params=dict(params), base_dir="")]
    names = ", ".join(one.name for one in configured)
    raise NotFound(
        f"lookahead: strategy {chosen!r}: not in the configuration, allowed: {names}, a built-in "
        f"({', '.join(BUILT_IN)}), FILE.py or FILE.py:FUNCTION"
    )


def _function(path: Path, name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a user's function
    if not path.is_file():
        raise NotFound(f"lookahead: no such file {path}, allowed: FILE.py:FUNCTION")
    spec = importlib.util.spec_from_file_location(f"feature_file_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(f"lookahead: {path}: {type(error).__name__}: {error}".splitlines()[0]) from error
    function = getattr(module, name, None)
    if not callable(function):
        public = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise NotFound(f"lookahead: {path}: no function {name!r}, allowed: {', '.join(public) or 'none there'}")
    return function


def encode(target: Target) -> bytes:
    return msgspec.json.encode(target)


def decode(data: bytes) -> Target:
    return msgspec.json.decode(data, type=Target)
