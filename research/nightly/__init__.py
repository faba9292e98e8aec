"""The run after the close: what was lived against what the backtest says, and what the next session is traded by.

cli.py            `openbell nightly`
night.py          which session has closed, which is next, where its folder is
sequence.py       carries out the steps in their order; step.py what a step is, record_files.py what is kept of it
lock.py           two runs never overlap
steps.py          THE list of steps:
  optional_step.py  refresh data, build features: handed in, or skipped and said
  audit_step.py     the journal's decisions made again, byte for byte
  replay_step.py    every strategy over the last sessions
  gap_step.py       live against backtest, order by order (gap.py)
  plan_step.py      the next session's plan (targets.py: what is wanted as of the last close)
  report_step.py    one page (page.py what stands on it, render.py as text and HTML)
  digest_step.py    one line to who gets the digest
bars.py           the bars of the night: files, or the journal's rows
order_log.py      what became of every order; live_day.py of the journal's session, replayed_day.py of the backtest's
"""
