"""A setting put into the configuration. Everything is judged before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from msgspec import Struct
from pydantic import ValidationError

from research.experiments.axes import Axis, Path, Value, WrongUsage
from research.experiments.space import Setting, Space
from shared.config import Config
from shared.config_faults import as_toml, describe
from shared.config_rules import contradictions
from shared.errors import ConfigError
from shared.market import Universe
from strategies.registry import check_params, load_strategy


class Variant(Struct, frozen=True, kw_only=True):
    """One configuration to try: its number from 0 in the order of the space, and the values of the axes."""

    number: int
    parameters: dict[str, Value]
    config: Config


class Variants(Struct, frozen=True, kw_only=True):
    """What is to be tried, and how many combinations the strategies or the rules of config.toml refuse, and why."""

    axes: tuple[Axis, ...]
    tried: tuple[Variant, ...]
    refused: int
    why: str


def variants_of(config: Config, space: Space) -> Variants:
    """Every setting of the space as a configuration.

    Raises WrongUsage, naming parameter and value, for a parameter or value that is wrong by itself, and when every
    combination is refused.
    """
    for axis in space.axes:
        for value in axis.values if isinstance(axis.values, tuple) else axis.values.ends:
            _judge_alone(config, axis, value)
    tried: list[Variant] = []
    refusals: list[str] = []
    for setting in space.settings():
        varied, fault = _varied(config, space.axes, setting)
        if varied is None:
            refusals.append(fault)
            continue
        named = {axis.name: value for axis, value in zip(space.axes, setting, strict=True)}
        tried.append(Variant(number=len(tried), parameters=named, config=varied))
    why = refusals[0] if refusals else ""
    if not tried:
        raise WrongUsage(f"all {len(refusals)} combinations are refused: {why}")
    return Variants(axes=space.axes, tried=tuple(tried), refused=len(refusals), why=why)


def put(data: dict[str, Any], path: Path, value: Value) -> None:
    """Set the value at `path` of a configuration's dump."""
    inner: Any = data
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value


def _judge_alone(config: Config, axis: Axis, value: Value) -> None:
    data = _dump(config)
    put(data, axis.path, value)
    varied, faults = _validated(config, data)
    if varied is None:
        raise WrongUsage(f"--set {axis.name}={as_toml(value)}: {faults[0]}")
    for strategy in varied.strategies if axis.path[0] == "strategy" else ():
        try:
            check_params(strategy.kind, dict(strategy.params), config.base_dir)
        except ConfigError as error:
            raise WrongUsage(f"--set {axis.name}={as_toml(value)}: {error.faults[0]}") from None


def _varied(config: Config, axes: Sequence[Axis], setting: Setting) -> tuple[Config | None, str]:
    """The configuration, or why the combination is refused."""
    data = _dump(config)
    for axis, value in zip(axes, setting, strict=True):
        put(data, axis.path, value)
    varied, faults = _validated(config, data)
    faults = faults or [text for _, text in contradictions(data)]
    if varied is None or faults:
        return None, faults[0]
    try:
        for strategy in varied.strategies:
            symbols = varied.symbols_of(strategy)
            mine = Universe(tuple(each for each in varied.universe_of().instruments if each.symbol in symbols))
            load_strategy(strategy.kind, mine, dict(strategy.params), config.base_dir)
    except ConfigError as error:
        return None, error.faults[0]
    return varied, ""


def _dump(config: Config) -> dict[str, Any]:
    return deepcopy(config.model_dump(mode="json"))


def _validated(config: Config, data: dict[str, Any]) -> tuple[Config | None, list[str]]:
    try:
        return Config.model_validate(data).based_at(config.base_dir), []
    except ValidationError as error:
        return None, [text for _, text in describe(error, Config, data)]
