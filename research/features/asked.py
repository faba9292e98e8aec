"""From a configuration to what is built: the features, the bars, the folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from research.features.build import Built
from shared.config import Config
from shared.errors import ConfigError, DataError, NotFound
from shared.indicators.feature_name import Feature, feature_of
from shared.io.bar_library import BarStore
from shared.io.bar_places import frequency_of
from shared.io.bar_store import BarPanel, load_bars

_NAMED_MAX = 5


def features_of(config: Config) -> tuple[Feature, ...]:
    """What `[features] names` means, the default set where it is empty; ConfigError with a line per wrong name."""
    return read_names(config.features.names, "features.names") if config.features.names else default_features()


def read_names(names: Iterable[str], place: str) -> tuple[Feature, ...]:
    """The features behind the names, each once; ConfigError with a line per wrong one."""
    found: list[Feature] = []
    faults: list[str] = []
    for name in names:
        try:
            found.append(feature_of(name))
        except ConfigError as error:
            faults.extend(f"{place}: {fault}" for fault in error.faults)
    if faults:
        raise ConfigError(faults)
    return tuple(dict.fromkeys(found))


def default_features() -> tuple[Feature, ...]:
    """Every indicator of the registry that is made of bars alone, with its defaults, every output of it."""
    from shared.indicators.registry import SPECS

    names = [
        name if len(spec.outputs) == 1 else f"{name}.{output}"
        for name, spec in SPECS.items()
        if not spec.beside
        for output in (spec.outputs if len(spec.outputs) > 1 else ("",))
    ]
    return tuple(feature_of(name) for name in names)


def folder_of(config: Config) -> Path:
    return config.base_dir / config.features.folder


def panel_of(config: Config, data: Path | None, *, every_symbol: bool = False) -> BarPanel:
    """The bars of `data`, else of `nightly.data`, else of the bar store: of the universe, or of every symbol there.

    Raises:
        NotFound: there are none. DataError: the bars are wrong, or not of `[bars] interval_s`.
    """
    symbols = None if every_symbol else config.universe.symbols
    chosen = data or (config.base_dir / config.nightly.data if config.nightly.data else None)
    if chosen is None:
        store = BarStore(config.base_dir / config.data.folder)
        return store.read(symbols, frequency_of(config.bars.interval_s), view=config.stored_view)
    if not chosen.exists():
        raise NotFound(f"features: --data {chosen}: no such file or folder, allowed: .parquet or .csv")
    panel = load_bars(chosen, symbols=symbols)
    if panel.interval_s != config.bars.interval_s:
        raise DataError(
            f"features: {chosen} has bars of {panel.interval_s} s, [bars] interval_s is {config.bars.interval_s}, "
            "allowed: the same of both"
        )
    return panel


def said_of(built: Built) -> str:
    """A build in one line."""
    done = [f"{built.kept} kept", f"{built.extended} extended", f"{built.rebuilt} built"]
    return (
        f"{built.features} features of {built.symbols:,} symbols over {built.rows:,} rows in {built.folder}: "
        f"of {built.calls} indicators {', '.join(done)}, {len(built.failed)} failed"
    )


def failures_of(failed: Sequence[tuple[str, str]]) -> list[str]:
    """A line for each of the first failures, and one for the rest."""
    lines = [f"{call}: {why}" for call, why in failed[:_NAMED_MAX]]
    if len(failed) > _NAMED_MAX:
        lines.append(f"and {len(failed) - _NAMED_MAX} more")
    return lines
