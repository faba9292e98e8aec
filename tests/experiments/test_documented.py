"""docs/experiments.md says what the code does."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from research.experiments.axes import SECTIONS, axis_of
from research.experiments.cli import register
from research.experiments.figures import MEASURES
from research.experiments.space import space_of
from research.experiments.windows import Walk
from tests.experiments.builders import daily_config

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "experiments.md").read_text()
CONFIG = daily_config().model_copy(
    update={"strategies": (daily_config().strategies[0].model_copy(update={"name": "sma"}),)}
)


def test_the_file_of_parameters_that_is_shown_is_read(tmp_path):
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "space.toml").write_text(shown)
    space = space_of(CONFIG, file=tmp_path / "space.toml")
    assert [axis.name for axis in space.axes] == ["sma.fast", "sma.slow"]
    assert (space.draws, space.seed) == (100, 7)


@pytest.mark.parametrize("name", re.findall(r"`((?:sma|replay|risk)\.[\w.]+)`", PAGE))
def test_every_name_that_is_shown_leads_somewhere(name):
    assert axis_of(name, "1", CONFIG).path


def test_the_sections_and_measures_of_the_page_are_those_of_the_code():
    (keys,) = re.findall(r"a key of (.*) \|", PAGE)
    assert re.findall(r"`\[(\w+)\]`", keys) == list(SECTIONS)
    (said,) = re.findall(r"chooses the measure: (.*?) \(docs/measures.md\)", PAGE, re.DOTALL)
    assert set(re.findall(r"[a-z]+(?:_\w+)*", said)) - {"default", "or", "the", "least"} == set(MEASURES)


def test_every_option_that_is_named_exists_with_the_default_it_is_said_to_have():
    app = typer.Typer()
    register(app)
    front: Any = typer.main.get_command(app)
    commands = front.commands.values()
    options = {name: each.default for command in commands for each in command.params for name in each.opts}
    assert set(re.findall(r"(?<!-)--[a-z][a-z-]+", PAGE)) - {"--nthreads"} <= set(options)
    assert [options[name] for name in ("--train", "--trade", "--embargo", "--cost-bps", "--by")] == [
        252, 5, 0, 10.0, "sharpe",
    ]  # fmt: skip
    assert Walk() == Walk(train=252, trade=5, embargo=0, anchored=False)
