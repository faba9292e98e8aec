"""Many runs, and what is said of them.

arguments.py     words of the command line as values
command.py       what the command does with them
toolkit.py       draw, play, judge: what a run is made of
day.py           one run, judged and counted
forked.py        pieces of work in processes of their own
interruption.py  Ctrl-C and SIGTERM
carrying_out.py  all runs of a campaign, or a single one
shrinking.py     a broken run made smaller
determinism.py   a run twice, in two interpreters
summary.py       the numbers; report.py the words; progress.py the bar
"""
