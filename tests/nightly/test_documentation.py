"""docs/nightly.md names exactly the steps, options and exit codes that exist."""

import re
from pathlib import Path

import typer

from openbell import build_app
from research.nightly.steps import Outside, steps_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "nightly.md").read_text()
STEPS = steps_of(Outside(tell=lambda _config, _line: ""))


def test_the_page_has_every_step_in_its_order_with_what_it_needs():
    rows = re.findall(r"^\| `([a-z]+)` \|([^|]*)\|", PAGE.partition("| option")[0], re.MULTILINE)
    documented = [(name, tuple(re.findall(r"`(\w+)`", needs))) for name, needs in rows]
    assert documented == [(step.name, tuple(step.needs)) for step in STEPS]


def test_the_page_has_every_option():
    group = typer.main.get_command(build_app())
    assert isinstance(group, typer.core.TyperGroup)
    command = group.commands["nightly"]
    options = {option for parameter in command.params for option in parameter.opts}
    documented = set(re.findall(r"^\| `(--[a-z]+)", PAGE, re.MULTILINE))
    assert documented == options - {"--config", "--help"}


def test_the_page_has_every_exit_code():
    table = PAGE.partition("| exit code")[2].partition("\n\n")[0]
    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == ["0", "1", "2", "3", "4", "6", "78"]


def test_every_need_is_a_step_before():
    names = [step.name for step in STEPS]
    assert [need for at, step in enumerate(STEPS) for need in step.needs if need not in names[:at]] == []
