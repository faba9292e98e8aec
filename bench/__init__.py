"""Speed, as ratios against what a user would pick instead. `python -m bench [all|replay|latency] [--json]`.

rounds.py            interleaved rounds and medians; result.py what a comparison is and how it is printed
panels.py            the synthetic panel of the replay comparison
replay_table.py      our replay against replay_peers/ on replay_workloads.py
latency.py           our daemon against bare_script.py, both at the end of wire_server.py
results/             the text of the last full run, with its command and date
"""
