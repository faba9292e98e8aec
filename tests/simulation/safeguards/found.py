"""What a search has found, kept beside the table: found.toml has a seed per safeguard, plans/ the cut-down days."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from msgspec import Struct

from tests.simulation.plan import Plan, decoded, encoded

FOLDER = Path(__file__).parent
_FIELDS = ("seed", "tried", "invariant", "text", "in_weather")


class Proof(Struct, frozen=True, kw_only=True):
    """One row: the seed of the day aimed at a safeguard (aims.py) that shows it missing, `tried` how many it took.

    `in_weather`: where the weather by itself shows it too, such as "brutal 12: I6"; empty if nobody has looked.
    """

    name: str
    seed: int
    tried: int
    invariant: str
    text: str
    in_weather: str = ""


def proofs(folder: Path = FOLDER) -> dict[str, Proof]:
    """All rows of found.toml by safeguard. Raises tomllib.TOMLDecodeError or TypeError for a file that is none."""
    path = folder / "found.toml"
    if not path.exists():
        return {}
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: Proof(name=name, **table) for name, table in tables.items()}


def keep(proof: Proof, plan: Plan | None = None, folder: Path = FOLDER) -> None:
    """Put the row into found.toml (in the place of an older one) and the plan, if there is one, beside it."""
    rows = {**proofs(folder), proof.name: proof}
    text = "# Made by tests/simulation/safeguards/search.py: where the simulation sees each safeguard missing.\n"
    for name in sorted(rows):
        lines = [f"{field} = {json.dumps(getattr(rows[name], field), ensure_ascii=False)}" for field in _FIELDS]
        text += "\n".join(["", f"[{name}]", *lines, ""])
    if plan is not None:
        (folder / "plans").mkdir(exist_ok=True)
        plan_path(proof.name, folder).write_bytes(encoded(plan) + b"\n")
    (folder / "found.toml").write_text(text, encoding="utf-8")


def plan_path(name: str, folder: Path = FOLDER) -> Path:
    """Where a safeguard's cut-down day is kept."""
    return folder / "plans" / f"{name}.json"


def plan_of(name: str, folder: Path = FOLDER) -> Plan:
    """The cut-down day of a safeguard. Raises FileNotFoundError if there is none."""
    return decoded(plan_path(name, folder).read_bytes())
