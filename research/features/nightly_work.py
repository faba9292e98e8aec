"""The features of a night: built from the bars that its backtest uses."""

from __future__ import annotations

from collections.abc import Callable

from research.nightly.night import Night
from shared.config import Config


def features_work(config: Config) -> Callable[[Night], str] | None:
    """What the nightly step `features` carries out; None where `[features] nightly` is off."""
    return _work if config.features.nightly else None


def _work(night: Night) -> str:
    from research.experiments.crew import crew_of
    from research.features.asked import failures_of, features_of, folder_of, panel_of, said_of
    from research.features.build import SMALL_CELLS, Way, build
    from research.features.sectors import sectors_of
    from shared.errors import DataError

    config = night.config
    panel = panel_of(config, night.data)
    wanted = features_of(config)
    way = Way(here_cells=SMALL_CELLS, sectors=sectors_of(config, panel, wanted))
    built = build(panel, wanted, folder_of(config), crew_of(config.cluster), way)
    said = said_of(built)
    if config.features.start == "stored":
        from research.features.warm_start import carry_on

        said += f"; {carry_on(config, panel, built.folder)}"
    if built.failed:
        raise DataError(f"{said}; {'; '.join(failures_of(built.failed))}")
    return said
