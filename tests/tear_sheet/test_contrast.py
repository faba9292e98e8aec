"""WCAG 2.2: text stands out from what is behind it by 4.5 to 1, lines and bars by 3 to 1; in both palettes."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).resolve().parents[2] / "research" / "tear_sheet" / "page.css").read_text()
BLOCKS = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
LIGHT, DARK = (dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in BLOCKS[:2])
PALETTES = {"light": LIGHT, "dark": DARK}
TEXT = [
    *((ink, ground) for ink in ("ink", "soft", "mine", "loss") for ground in ("ground", "panel")),
    ("ink", "warn"),
    *(("heat-ink", f"{way}{shade}") for way in ("up", "down") for shade in (1, 2, 3, 4)),
]
LINES = [("mine", "ground"), ("theirs", "ground"), ("loss", "ground")]


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(palette, ink, ground):
    assert contrast(PALETTES[palette][ink], PALETTES[palette][ground]) >= 4.5


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize(("line", "ground"), LINES)
def test_lines_can_be_seen(palette, line, ground):
    assert contrast(PALETTES[palette][line], PALETTES[palette][ground]) >= 3.0
