"""A table as Parquet, there wholly or as it was before."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import DataError
from shared.io.bar_disk import Disk, RealDisk, put

if TYPE_CHECKING:
    import pandas as pd


def write_table(path: Path, rows: pd.DataFrame, disk: Disk | None = None) -> None:
    """Write through a temporary name; the folder is made. DataError leaves what was there."""
    into = disk or RealDisk()
    content = io.BytesIO()
    rows.to_parquet(content, index=False, compression="zstd")
    try:
        into.make_folder(path.parent)
        put(into, path, content.getvalue())
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}, allowed: a folder that takes it") from error
