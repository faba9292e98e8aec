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
    from research.features.build import build
    from shared.errors import DataError

    config = night.config
    panel = panel_of(config, night.data)
    built = build(panel, features_of(config), folder_of(config), crew_of(config.cluster))
    if built.failed:
        raise DataError(f"{said_of(built)}; {'; '.join(failures_of(built.failed))}")
    return said_of(built)
