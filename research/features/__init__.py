"""Features kept beside the bars: what is computed at night is, bit for bit, what a strategy computes live.

asked.py         from a configuration to features, bars and folder
build.py         bars -> features: what is right stays, what is behind goes on, the rest is computed; atomic, resumable
compute.py       one call of an indicator, part by part, from state to state; job.py the same as a task of a crew;
                 write_behind.py its files while the kernels go on
record.py        what is written beside features, names of files; parts.py panels as Parquet
sectors.py       who is in which sector at which row
bar_prints.py    which bars; code_hash.py which code
reading.py       stored features, read: a stretch or a day; recalled.py strategies of a replay that read them
listing.py       the registry for people; showing.py, picture.py one feature of one instrument; progress.py
warm_start.py    what the strategies remember of all these bars, for a live start
nightly_work.py  the step `features` of a night
cli.py           `openbell features list|build|show`
"""
