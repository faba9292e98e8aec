"""The nightly backtest: every configured strategy over the last sessions."""

from __future__ import annotations

from research.nightly.bars import bars_hash, first_session, night_bars, no_bars
from research.nightly.step import Job, Outcome
from shared.io.fingerprints import code_hash, config_hash

FOLDER = "replay"
COMMAND = "openbell nightly"


class ReplayStep:
    """Leaves the files of `openbell replay` in the night's folder, the tear sheet with its stamp among them."""

    name = "replay"
    needs = ("refresh", "features")

    def inputs(self, job: Job) -> dict[str, str]:
        if no_bars(job.night):
            return {"bars": "none"}
        return {
            "bars": bars_hash(job.night),
            "config": config_hash(job.night.config),
            "code": code_hash(job.night.config),
            "first_session": f"{first_session(job.night)}",
        }

    def run(self, job: Job) -> Outcome:
        from research.backtest.artifacts import write_artifacts
        from research.backtest.production import recorded
        from research.backtest.run import run_replay
        from research.backtest.summary import summarise

        night = job.night
        if nothing := no_bars(night):
            return Outcome(status="skipped", said=f"skipped, {nothing}; nightly.data is empty")
        panel, start = night_bars(night), first_session(night)
        result = run_replay(night.config, panel, start=start)
        name = night.data.name if night.data else "the bar store" if night.config.nightly.refresh else "the journal"
        record = recorded(result, night.config, panel, start=start, data_name=name, command=COMMAND)
        written = write_artifacts(night.folder / FOLDER, result, record)
        summary = summarise(result)
        sharpe = "n/a" if summary.sharpe is None else f"{summary.sharpe:.2f}"
        return Outcome(
            said=(
                f"{summary.sessions:,} sessions from {summary.first_session}: {summary.total_return_pct:+.2f} %, "
                f"Sharpe {sharpe}, drawdown {summary.drawdown_pct_max:.2f} %, {summary.fills:,} fills"
            ),
            files=tuple(sorted(f"{FOLDER}/{path.name}" for path in written)),
            facts={
                "sessions": summary.sessions,
                "first_session": f"{summary.first_session}",
                "total_return_pct": summary.total_return_pct,
                "sharpe": summary.sharpe,
                "drawdown_pct_max": summary.drawdown_pct_max,
                "fills": summary.fills,
                "final_equity": summary.final_equity,
            },
        )
