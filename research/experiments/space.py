"""The settings to try: every combination of the axes, or seeded draws from them."""

from __future__ import annotations

import itertools
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from research.experiments.axes import Axis, Draw, Value, WrongUsage, axis_of
from shared.config import Config

SETTINGS_MAX = 100_000
_TRIES_PER_DRAW = 50

Setting = tuple[Value, ...]
"""One value per axis, in the order of the axes."""


class Space(Struct, frozen=True, kw_only=True):
    """`draws` None means every combination; else so many distinct ones, drawn with `seed`."""

    axes: tuple[Axis, ...]
    draws: int | None = None
    seed: int = 0
    may_be_one: bool = False
    """Whether nothing may vary: the configuration as it is, over drawn markets."""

    def settings(self) -> list[Setting]:
        """The settings in a fixed order; the same space gives the same ones. WrongUsage if there is none to try."""
        if not self.axes and not self.may_be_one:
            raise WrongUsage("nothing varies, allowed: at least one --set NAME=VALUES, --seeds, or a --space file")
        return self._grid() if self.draws is None else self._drawn(self.draws)

    def _grid(self) -> list[Setting]:
        for axis in self.axes:
            if isinstance(axis.values, Draw):
                raise WrongUsage(f"{axis.name}: random values need --draws, the number of settings to draw")
        columns = [axis.values for axis in self.axes if isinstance(axis.values, tuple)]
        count = math.prod(len(column) for column in columns)
        if count > SETTINGS_MAX:
            raise WrongUsage(
                f"{count:,} combinations, allowed: at most {SETTINGS_MAX:,}; draw some of them with --draws"
            )
        return list(itertools.product(*columns))

    def _drawn(self, wanted: int) -> list[Setting]:
        if not 1 <= wanted <= SETTINGS_MAX:
            raise WrongUsage(f"--draws {wanted}, allowed: 1 to {SETTINGS_MAX:,}")
        chance = Random(self.seed)
        found: dict[tuple[tuple[str, Value], ...], Setting] = {}
        for _ in range(wanted * _TRIES_PER_DRAW):
            if len(found) == wanted:
                break
            setting = tuple(_drawn_value(axis, chance) for axis in self.axes)
            found.setdefault(tuple((type(value).__name__, value) for value in setting), setting)
        return list(found.values())


def space_of(
    config: Config,
    *,
    written: Sequence[str] = (),
    file: Path | None = None,
    draws: int | None = None,
    seed: int | None = None,
) -> Space:
    """The space of `NAME=VALUES` texts and of a TOML file, the file's axes first; the command line wins.

    Raises WrongUsage for a name that is nowhere or stands twice, and for values nobody can read.
    """
    of_file = _read(file) if file else {}
    drawn_by_file, seed_of_file = _whole(of_file, "draws", file), _whole(of_file, "seed", file)
    pairs = [*_leaves({key: value for key, value in of_file.items() if key not in {"draws", "seed"}}, "")]
    pairs += [_pair(text) for text in written]
    axes = [axis_of(name, values, config) for name, values in pairs]
    _refuse_twice(axes)
    return Space(
        axes=tuple(axes),
        draws=drawn_by_file if draws is None else draws,
        seed=(seed_of_file or 0) if seed is None else seed,
    )


def with_seeds(space: Space, config: Config, seeds: Sequence[int]) -> Space:
    """The same settings for each seed: one more axis for every strategy that takes `seed`; WrongUsage if none does."""
    from shared.errors import ConfigError
    from strategies.registry import check_params

    positions = []
    for position, strategy in enumerate(config.strategies):
        try:
            check_params(strategy.kind, {**strategy.params, "seed": 1}, config.base_dir)
        except ConfigError:
            continue
        positions.append(position)
    if not positions:
        kinds = ", ".join(strategy.kind for strategy in config.strategies)
        raise WrongUsage(f"--seeds: none of {kinds} takes a parameter `seed`, allowed: a strategy that does")
    if len(positions) > 1:
        names = ", ".join(config.strategies[position].name for position in positions)
        raise WrongUsage(f"--seeds: {names} all take a seed, allowed: --set NAME.seed=... for each")
    name = f"{config.strategies[positions[0]].name}.seed"
    axes = (*space.axes, axis_of(name, list(seeds), config))
    _refuse_twice(axes)
    return replace(space, axes=axes)


def seeds_of(text: str) -> tuple[int, ...]:
    """`5` is the seeds 1 to 5, `3,7,11` are these; WrongUsage otherwise."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts) or (len(parts) == 1 and not 1 <= int(parts[0]) <= SETTINGS_MAX):
        raise WrongUsage(f"--seeds {text!r}, allowed: how many (5), or which ones (3,7,11)")
    numbers = tuple(int(part) for part in parts)
    return tuple(range(1, numbers[0] + 1)) if len(numbers) == 1 else numbers


def _drawn_value(axis: Axis, chance: Random) -> Value:
    return axis.values.draw(chance) if isinstance(axis.values, Draw) else chance.choice(axis.values)


def _pair(text: str) -> tuple[str, str]:
    name, equals, values = text.partition("=")
    if not equals or not name.strip() or not values.strip():
        raise WrongUsage(f"--set {text!r}, allowed: NAME=VALUES such as sma.fast=5,10,20")
    return name.strip(), values.strip()


def _refuse_twice(axes: Iterable[Axis]) -> None:
    seen: set[str] = set()
    for axis in axes:
        if axis.name in seen:
            raise WrongUsage(f"{axis.name} is given twice, allowed: every parameter once")
        seen.add(axis.name)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongUsage(f"--space {path}: no such file, allowed: a TOML file of parameters") from None
    except OSError as error:
        raise WrongUsage(f"--space {path}: cannot be read: {error.strerror}, allowed: a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WrongUsage(f"--space {path}: not valid TOML: {error}") from None


def _whole(data: Mapping[str, Any], key: str, file: Path | None) -> int | None:
    value = data.get(key)
    if value is None or (type(value) is int and value >= 0):
        return value
    raise WrongUsage(f"--space {file}: {key} = {value!r}, allowed: a whole number from 0")


def _leaves(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """`strategy.sma.params.fast = [5, 10]` and `"sma.fast" = "5:50:5"` alike."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
