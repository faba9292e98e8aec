"""Sections as text, and as one self-contained HTML page (no script, nothing from the network, dark and light)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from research.nightly.page import Section

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2127; --soft: #5c6670; --line: #d8dde3; --paper: #ffffff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --soft: #a0a9b4; --line: #3a424c; --paper: #15191e; --bad: #ff8a80; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  padding: 1.5rem; max-width: 78rem; }
h1 { font-size: 1.35rem; margin: 0 0 1rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p { margin: .2rem 0; } .caution, .bad { color: var(--bad); }
.table { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th { text-align: left; color: var(--soft); font-weight: 500; } td, th { padding: .25rem .8rem .25rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
td:last-child { white-space: normal; } .n { text-align: right; }
"""
_BAD = ("failed", "blocked", "differs", "MISSED LIVE", "NOT DECIDED LIVE")
_CAUTION = "caution:"
TEXT_ROWS_MAX = 40


def as_text(title: str, sections: Sequence[Section]) -> str:
    """Columns aligned by blanks, for a terminal."""
    return "\n".join([title, *(line for section in sections for line in _text_of(section))]) + "\n"


def _text_of(section: Section) -> Iterator[str]:
    yield ""
    yield section.title
    yield from (f"  {line}" for line in section.lines)
    if not section.columns:
        return
    if not section.rows:
        yield "  none"
        return
    table = [section.columns, *section.rows[:TEXT_ROWS_MAX]]
    widths = [max(len(row[column]) for row in table) for column in range(len(section.columns))]
    for row in table:
        cells = [
            cell.rjust(width) if column in section.numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield ("  " + "  ".join(cells)).rstrip()
    if len(section.rows) > TEXT_ROWS_MAX:
        yield f"  and {len(section.rows) - TEXT_ROWS_MAX:,} more, all of them in the HTML page"


def as_html(title: str, sections: Sequence[Section]) -> str:
    """The same page for a browser; everything that is not ours is escaped."""
    body = "\n".join(line for section in sections for line in _html_of(section))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _html_of(section: Section) -> Iterator[str]:
    yield f"<h2>{escape(section.title)}</h2>"
    for line in section.lines:
        mark = ' class="caution"' if line.startswith(_CAUTION) else ""
        yield f"<p{mark}>{escape(line)}</p>"
    if not section.columns:
        return
    if not section.rows:
        yield "<p>none</p>"
        return
    yield '<div class="table"><table>'
    head = "".join(f"<th{_kind(section, column)}>{escape(name)}</th>" for column, name in enumerate(section.columns))
    yield f"<thead><tr>{head}</tr></thead><tbody>"
    for row in section.rows:
        cells = "".join(f"<td{_kind(section, column, cell)}>{escape(cell)}</td>" for column, cell in enumerate(row))
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table></div>"


def _kind(section: Section, column: int, cell: str = "") -> str:
    kinds = [*(["n"] if column in section.numeric else []), *(["bad"] if cell.startswith(_BAD) else [])]
    return f' class="{" ".join(kinds)}"' if kinds else ""
