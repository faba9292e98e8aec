"""Does a strategy or a feature know what it cannot know yet? Bar and value that leak are named.

panels.py      pieces of a panel: its first rows, its rows from a start on, the same past before another future
subject.py     what is examined, a strategy or a feature, and what it said to every row
difference.py  where two runs first say different things, and which attribute of the state differs
ahead.py       truncated and perturbed future, bisected to the first row that leaks
beginnings.py  shifted start and longer warm-up: how many rows until the start is forgotten
contract.py    the same twice, after a restart, on sealed rows, from the batch form
source_scan.py what the source names that no strategy may: clock, chance, files
watch.py       what a strategy opens while it runs
twin.py        the same in another process, under another hash seed, with another future
chain.py       the whole replay: decisions of engine and broker up to a cut
examine.py     all of it; report.py as text and JSON; cli.py `openbell lookahead`
"""
