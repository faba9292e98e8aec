"""The features of a night: built from the bars that its backtest uses."""

from __future__ import annotations

import hashlib

from research.nightly.night import Night
from research.nightly.optional_step import Work
from research.nightly.record_files import file_hash
from shared.config import Config
from shared.io.fingerprints import config_hash, deciding_hash, packages_hash, panel_hash


def features_work(config: Config) -> Work | None:
    """What the nightly step `features` carries out; None where `[features] nightly` is off."""
    return Work(carry_out=_work, made_from=_made_from) if config.features.nightly else None


def _made_from(night: Night) -> dict[str, str]:
    """Bars, keys, code and sectors; of the strategies too, whose memory may be kept beside the features."""
    from research.features.asked import panel_of

    config = night.config
    sectors = file_hash(config.base_dir / config.features.sectors) if config.features.sectors else "none"
    return {
        "bars": panel_hash(panel_of(config, night.data)),
        "config": config_hash(config),
        "keys": hashlib.sha256(config.features.model_dump_json().encode()).hexdigest(),
        "code": f"{deciding_hash(config)} {packages_hash(('research/features',))}",
        "sectors": sectors,
    }


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
