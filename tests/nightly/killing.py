"""Kills a night at every durable write, starts it again, and prints at which of them it did not end the same.

A process of its own: each attempt is a fork that sends itself SIGKILL in the n-th fsync, before or after it.
With `--real` the backtest is the real one, tear sheet and ledger of trials with it, and every call that changes the
file system is such a moment: some minutes, so nobody's test. python -m tests.nightly.killing FOLDER [--real]
"""

import json
import os
import shutil
import signal
import sys
from datetime import timedelta
from pathlib import Path

from research.backtest.artifacts import write_files
from research.measures.ledger import LEDGER_FILE, Ledger
from research.nightly.audit_step import AuditStep
from research.nightly.bars import bars_hash
from research.nightly.digest_step import DigestStep
from research.nightly.gap_step import GapStep
from research.nightly.night import night_of
from research.nightly.optional_step import OptionalStep
from research.nightly.plan_step import PlanStep
from research.nightly.replay_step import ReplayStep
from research.nightly.report_step import ReportStep
from research.nightly.sequence import Way, carry_out
from research.nightly.step import Outcome
from shared.config import load_config
from tests.nightly.days import a_config_file, a_lived_day
from tests.runtime.builders import CLOSE

TIMES = ("begun_at", "ended_at", "made_at", "checksum")
DURABLE = ("fsync",)
EVERY_CALL = ("open", "fchmod", "fsync", "replace", "unlink", "mkdir")
IS_REAL = "--real" in sys.argv


class QuickBacktest:
    """Stands for the backtest, whose tear sheet takes a second; it leaves files the way that does."""

    name = "replay"
    needs = ("refresh", "features")

    def inputs(self, job):
        return {"bars": bars_hash(job.night)}

    def run(self, job):
        written = write_files(job.night.folder / "replay", {"replay.json": b"{}", "fills.csv": b"two trades"})
        return Outcome(said="two trades", files=tuple(f"replay/{path.name}" for path in written))


class Ticking:
    """A clock of which every reading is a minute later."""

    def __init__(self):
        self.now = CLOSE

    def __call__(self):
        self.now += timedelta(minutes=1)
        return self.now


def steps():
    return (
        OptionalStep("refresh", None, "no source"),
        OptionalStep("features", None, "no features"),
        AuditStep(),
        ReplayStep() if IS_REAL else QuickBacktest(),
        GapStep(),
        PlanStep(),
        ReportStep(),
        DigestStep(lambda _config, _line: "sent over mail"),
    )


def carried_out(config_path):
    """The whole night in this process; whether every step ended well."""
    night = night_of(load_config(config_path), CLOSE.date(), CLOSE, None)
    records = carry_out(night, steps(), Way(now=Ticking(), say=lambda _line: None))
    return all(record.status in {"done", "skipped"} for record in records.values())


def killed_at(config_path, number, *, after):
    """Carry it out in a fork that dies in its `number`-th counted call; whether it died there."""
    child = os.fork()
    if not child:
        die_at(number, after=after)
        os._exit(0 if carried_out(config_path) else 1)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def die_at(number, *, after):
    left = [number]
    for name in EVERY_CALL if IS_REAL else DURABLE:
        setattr(os, name, counted(getattr(os, name), left, after=after))


def counted(call, left, *, after):
    def counting(*parts, **more):
        if call.__name__ == "open" and not parts[1] & os.O_CREAT:
            return call(*parts, **more)  # only looks
        left[0] -= 1
        answer = call(*parts, **more) if after or left[0] else None
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    return counting


def ended(config_path):
    """Carry it out in a fork that nobody kills; whether it ended well."""
    return not killed_at(config_path, 10**9, after=True) and is_well(config_path)


def is_well(config_path):
    folder = config_path.parent / "state" / "paper" / "nightly" / f"{CLOSE.date()}" / "steps"
    statuses = [json.loads(path.read_text())["status"] for path in folder.glob("*.json")]
    return len(statuses) == len(steps()) and set(statuses) <= {"done", "skipped"}


def left_by(folder):
    """Every file of the night and the plan, without the moments at which they were made and without its place."""
    state = folder / "state" / "paper"
    paths = [
        path for path in sorted(state.rglob("*")) if path.is_file() and not path.name.startswith(("journal", ".plan"))
    ]
    found = {str(path.relative_to(folder)): without_times(path).replace(str(folder), "") for path in paths}
    return found | {"trials": trials_of(folder / "state" / LEDGER_FILE)}


def trials_of(path):
    return str([trial.data_hash for trial in Ledger(path).trials()]) if path.exists() else ""


def without_times(path):
    if path.suffix != ".json":
        return path.read_bytes().decode("latin-1")
    facts = json.loads(path.read_bytes())
    # The hash of a plan that was made at another moment is another one; that the file is there is what counts.
    files = {"files": sorted(facts["files"])} if "files" in facts else {}
    inputs = {"inputs": {key: value for key, value in facts.get("inputs", {}).items() if key != "steps"}}
    return json.dumps({key: value for key, value in facts.items() if key not in TIMES} | files | inputs)


def main(folder):
    original = folder / "original"
    original.mkdir()
    config = a_config_file(original)
    a_lived_day(config)
    whole = Path(shutil.copytree(original, folder / "whole"))
    well = carried_out(whole / "config.toml")  # in this very process: what the forks need is loaded and compiled
    expected, points, differing = left_by(whole), 0, []
    for after in (False, True):
        number, died = 0, True
        while died:
            number += 1
            broken = Path(shutil.copytree(original, folder / "broken"))
            died = killed_at(broken / "config.toml", number, after=after)
            if not ended(broken / "config.toml") or left_by(broken) != expected:
                differing.append([number, after])
            points += died
            shutil.rmtree(broken)
    sys.stdout.write(json.dumps({"well": well, "points": points, "differing": differing}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
