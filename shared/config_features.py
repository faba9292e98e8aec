"""[features] of config.toml: which features research keeps beside the bars, and where."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shared.config_fields import choice, list_of, switch, text
from shared.config_section import Section

_Name = Annotated[str, Field(min_length=1, max_length=200)]


class FeaturesConfig(Section):
    """[features]: what `openbell features build` keeps (docs/features.md); the names are read by the registry."""

    folder: Annotated[str, text("a folder", "features")] = "features"
    names: Annotated[tuple[_Name, ...], list_of("names of features", ["rsi(14)", "rank(roc(20))"])] = ()
    nightly: Annotated[bool, switch(False)] = False
    sectors: Annotated[str, text("empty, or the path of a .csv or .parquet table", "", r"^$|.+\.(csv|parquet)$")] = ""
    start: Annotated[Literal["rows", "stored"], choice("rows", "stored")] = "rows"
