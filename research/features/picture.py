"""One feature of one instrument as a few lines of text, or as a PNG. matplotlib is slow to import: only `draw` does."""

from __future__ import annotations

import io

import numpy as np

from shared.indicators.indicator import FloatArray, IntArray

WIDTH, HEIGHT = 72, 8
_BLOCKS = " ▁▂▃▄▅▆▇█"
_STEPS = len(_BLOCKS) - 1


def chart(values: FloatArray, width: int = WIDTH, height: int = HEIGHT) -> list[str]:
    """The values (T,) from left to right as bars above their lowest; a column is the mean of what falls into it.

    Where nothing is known a column stays empty.
    """
    columns = _columns(values, width)
    known = columns[~np.isnan(columns)]
    if not len(known):
        return ["(no value is known yet)"]
    low, high = float(known.min()), float(known.max())
    reach = (high - low) or 1.0
    filled = np.where(np.isnan(columns), 0.0, (columns - low) / reach * (height * _STEPS - 1) + 1)
    lines: list[str] = []
    for line in range(height - 1, -1, -1):
        steps = np.clip(np.nan_to_num(filled) - line * _STEPS, 0, _STEPS).astype(int)
        label = {height - 1: f"{high:.6g}", 0: f"{low:.6g}"}.get(line, "")
        lines.append(f"{label:>12} |" + "".join(_BLOCKS[step] for step in steps).rstrip())
    return lines


def _columns(values: FloatArray, width: int) -> FloatArray:
    finite = np.where(np.isfinite(values), values, np.nan)
    found: list[float] = []
    for each in np.array_split(finite, min(width, len(finite))):
        known = each[~np.isnan(each)]
        found.append(float(known.mean()) if len(known) else np.nan)
    return np.array(found)


def draw(title: str, opened_at: IntArray, values: FloatArray) -> bytes:
    """The feature over time as a PNG; (T,) each."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    at = opened_at.astype("datetime64[ns]")
    figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
    axes.plot(at, values, color="#0b62a8", linewidth=1)
    axes.set_title(title, loc="left", fontweight="bold")
    axes.grid(color="#e7eaee")
    axes.spines[["top", "right"]].set_visible(False)
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=110)
    plt.close(figure)
    return written.getvalue()
