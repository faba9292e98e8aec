"""[insiders] of config.toml: whether purchases and sales of insiders scale positions, and by how much at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from shared.config_faults import Fault, as_toml, value_at
from shared.config_fields import number, text, whole
from shared.config_section import Section

_TABLE = text("a .parquet or .csv table of Form 4 transactions, a folder of the SEC's, or empty", "data/sec", "")


class InsidersConfig(Section):
    """[insiders]: off unless a strength is given (docs/universe.md)."""

    strength: Annotated[float, number(0, 0.5, 0.25)] = 0.0
    table: Annotated[str, _TABLE] = ""
    age_days_max: Annotated[int, whole(1, 365, 10)] = 10

    @property
    def scale(self) -> bool:
        """Whether sizes are scaled at all."""
        return self.strength > 0


def scaled_sizes_have_their_scores(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Scores come from a table and reach the daemon in the plan; else a replay would scale what live does not."""
    path = ("insiders", "strength")
    strength = value_at(data, path)
    if not isinstance(strength, int | float) or not strength > 0:
        return
    if not value_at(data, ("insiders", "table")):
        yield path, f"insiders.strength = {as_toml(strength)}: needs insiders.table, which is not given"
    if value_at(data, ("nightly", "plan")) != "require":
        yield path, f'insiders.strength = {as_toml(strength)}: needs nightly.plan = "require", which brings the scores'
