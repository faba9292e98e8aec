"""Many replays of one question: sweeps over parameters and seeds, and walk-forward tests.

axes.py               one parameter and the values it takes: where it stands in config.toml, lists, ranges, draws
space.py              axes from the command line or a TOML file -> the settings to try: a grid, or seeded draws
variants.py           a setting put into the configuration: faults at once, refused combinations counted
job.py                one replay as a task: what is sent to a worker and what comes back
crew.py               the jobs over the workers, those of this machine by joblib's loky; retry of what a worker died of
dask_crew.py          the same over a dask cluster
ray_crew.py           the same over a ray cluster
drawn_market.py       markets that might have been: the same sessions in another order
luck.py               what the settings came to in them
identity.py           what makes a replay the same replay: its stamp and the key of its outcome
figures.py            what is kept of every replay; by which of it a setting may be chosen
running.py            jobs to outcomes: known ones are not run again, new ones are kept at once
store.py              outcomes as they come, one line each; the same command goes on where it stopped
table.py              all outcomes as one Parquet table
ranking.py            the best by a measure, over seeds; what the deflated Sharpe ratio says about them
progress.py           a bar with the time left on a terminal, a line now and then elsewhere
stopwatch.py          how long things took; the one clock here
bars.py               the panel without the rows outside sessions; the session of every row
sweep.py              `openbell sweep` as a function
windows.py            sessions -> train and trade windows with an embargo between
choosing.py           the best setting of each train window
parameter_schedule.py a strategy whose parameters change at the edges of the trade windows
walk_forward.py       `openbell walkforward` as a function
asked.py              options -> configuration, bars and variants, all judged before a replay
conduct.py            a whole experiment in its folder: run, write, print
report.py             what is printed and written
cli.py                `openbell sweep`, `openbell walkforward`
"""
