"""The table in docs/indicators.md; `python -m tests.indicators.documented_table` writes it anew."""

from pathlib import Path

from shared.indicators.registry import SPECS


def table_of(specs):
    """Rows by group and name."""
    head = "| name | group | inputs | outputs | parameters | warm after | formula | source |\n" + "| --- " * 8 + "|\n"
    ordered = sorted(specs.values(), key=lambda spec: (spec.group, spec.name))
    return head + "".join(_row(spec) for spec in ordered)


def _row(spec):
    parameters = ", ".join(f"{parameter.name} {parameter.default:g}" for parameter in spec.parameters)
    cells = (
        f"`{spec.name}`",
        spec.group,
        ", ".join(spec.inputs),
        ", ".join(spec.outputs),
        parameters,
        str(spec.prints_until_warm()),
        spec.formula,
        spec.source,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _write():
    page = Path(__file__).resolve().parents[2] / "docs" / "indicators.md"
    before, rest = page.read_text().split("<!-- table -->\n")
    after = rest.split("<!-- end -->")[1]
    page.write_text(f"{before}<!-- table -->\n{table_of(SPECS)}<!-- end -->{after}")


if __name__ == "__main__":
    _write()
