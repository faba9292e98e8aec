"""The command line inside the test's own process: exit code, stdout, stderr."""

import json
import sys
from pathlib import Path

import jsonschema
from msgspec import Struct

import openbell

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"


class Answer(Struct, frozen=True):
    code: int
    out: str
    err: str

    def facts(self, name):
        """The one JSON object that was printed, held against its published schema."""
        (found,) = self.lines(name)
        return found

    def lines(self, name):
        """Every line that was printed, each held against the published schema."""
        schema = json.loads((SCHEMAS / f"{name}.json").read_text())
        found = [json.loads(line) for line in self.out.splitlines()]
        for each in found:
            jsonschema.validate(each, schema, format_checker=jsonschema.FormatChecker())
        return found


class FrontDoor:
    """Give it the words behind `openbell`."""

    def __init__(self, capsys, monkeypatch):
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *words):
        self._monkeypatch.setattr(sys, "argv", ["openbell", *map(str, words)])
        self._capsys.readouterr()
        try:
            code = openbell.main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = self._capsys.readouterr()
        return Answer(code, said.out, said.err)
