"""The rim of the live process: everything that waits, writes or sends.

loop.py        inbox -> engine -> journal -> executor, the heart
inbox.py       the one bounded queue; feed.py makes rows for it, timers.py, session.py and reports.py the rest
executor.py    carries out what the engine commands
connection.py  keeps the broker connected; guard.py says which accounts may be traded
recovery.py    snapshot + journal tail -> engine: the only way to start; last_words.py what a killed run had to tell
lifecycle.py   one run from start to end; heartbeat.py one line on how it does (holdings.py, systemd.py)
plan_keeper.py no trading without the session's plan, where one is required
action_keeper.py  splits and distributions, told before the first row they change
clock.py       the wall's time, or that of a simulated market
wiring.py      builds the parts from the configuration; engine_port.py what it asks of an engine; version.py
cli.py         run, audit, status, tail, demo, version (status.py, demo.py); json_output.py stamps what --json prints
*_cli.py       the other commands: init (init.py), config (config_check.py), positions and orders (last_known.py),
               journal (journal_files.py)
"""
